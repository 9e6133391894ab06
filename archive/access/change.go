package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Change is a change of a rule: who made it, when and why. Its JSON stands in rows, in WARC files and in the log.
type Change struct {
	ID     string    `json:"change"`
	At     time.Time `json:"at"`
	Node   string    `json:"node"`
	By     string    `json:"by,omitempty"`
	Sets   bool      `json:"sets"` // else it lifts the rule
	Reason string    `json:"reason"`
	Rule   Rule      `json:"rule"`          // as it is set, or as it was
	Was    *Rule     `json:"was,omitempty"` // what it is set in the place of
}

// Encode gives a change as JSON.
func (c *Change) Encode() (json.RawMessage, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode a change of access rules: %w", err)
	}
	return b, nil
}

// errChange says that a change names no change, rule or collection.
var errChange = errors.New("it names no change, rule or collection")

// ReadChange reads what Encode wrote.
func ReadChange(raw []byte) (Change, error) {
	var c Change
	err := json.Unmarshal(raw, &c)
	if err == nil && (c.ID == "" || c.Rule.ID == "" || c.Rule.Collection == "" || c.At.IsZero()) {
		err = errChange
	}
	if err != nil {
		return c, fmt.Errorf("read a change of access rules: %w", err)
	}
	return c, nil
}

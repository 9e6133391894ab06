package warc

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"linkstead/storage"
)

// InspectState is the file in which an inspection notes what it has verified, so that one that was interrupted goes on: a
// line of JSON about itself, then a line a segment, and a last line when all is done. It holds nothing that the archive
// needs: one that can't be written, as on a full disk, stops no inspection. Nil is one that notes nothing.
type InspectState struct {
	mu    sync.Mutex
	file  *os.File // nil: nothing can be noted …
	fault error    // … because of this
	known map[string]*Inspection
}

// stateHead is the first line of the file.
type stateHead struct {
	Version int    `json:"linkstead-verify"`
	Archive string `json:"archive"` // what is verified: store, collection
	Done    bool   `json:"done,omitempty"`
}

const (
	stateVersion = 1
	maxStateLine = 64 << 20
)

// OpenInspectState opens the file at path, which notes the verification of what archive names. With resume, what stands
// there already counts, if it is about the same archive and was not brought to its end; otherwise the file begins anew. The
// error is that of reading it; Fault tells if nothing can be noted.
func OpenInspectState(path, archive string, resume bool) (*InspectState, error) {
	s := &InspectState{known: map[string]*Inspection{}}
	if resume {
		if err := s.read(path, archive); err != nil {
			return nil, fmt.Errorf("read what was verified before: %w", err)
		}
	}
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		s.file, err = os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	}
	if err != nil {
		s.file, s.fault = nil, fmt.Errorf("note what is verified: %w", err)
		return s, nil
	}
	s.line(stateHead{Version: stateVersion, Archive: archive})
	for _, n := range s.known { // a line that was torn is gone by this
		s.line(n)
	}
	return s, nil
}

// Fault says why not all could be noted; nil if it was.
func (s *InspectState) Fault() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// read takes what an interrupted inspection has noted. A line that can't be read ends it.
func (s *InspectState) read(path, archive string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxStateLine)
	var head stateHead
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &head) != nil || head.Version != stateVersion || head.Archive != archive {
		return lines.Err()
	}
	for lines.Scan() {
		if bytes.HasPrefix(lines.Bytes(), []byte(`{"linkstead-verify"`)) { // it was brought to its end
			clear(s.known)
			return nil
		}
		n := new(Inspection)
		if json.Unmarshal(lines.Bytes(), n) != nil || n.Segment == "" {
			break
		}
		n.Before = true
		s.known[n.Segment] = n
	}
	return lines.Err()
}

// line writes a line. After one that could not be written there are none: what follows it would not be read.
func (s *InspectState) line(v any) {
	if s.fault != nil {
		return
	}
	b, err := json.Marshal(v)
	if err == nil {
		_, err = s.file.Write(append(b, '\n'))
	}
	if err != nil {
		s.fault = fmt.Errorf("note what is verified: %w", err)
	}
}

// before is what came of a segment before the interruption, if it was stored then and has not changed since.
func (s *InspectState) before(row storage.Segment) *Inspection {
	if s == nil {
		return nil
	}
	n := s.known[row.ID]
	if n == nil || row.State != storage.SegmentStored || n.State != string(row.State) || n.Key != row.Location || n.Size != row.Size || n.SHA256 != row.SHA256 {
		return nil
	}
	return n
}

// note writes down what came of a segment.
func (s *InspectState) note(n *Inspection) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line(n)
}

// complete says that nothing is left to be verified.
func (s *InspectState) complete() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line(stateHead{Version: stateVersion, Done: true})
}

// Close closes the file.
func (s *InspectState) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

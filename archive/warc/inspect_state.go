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
// needs.
type InspectState struct {
	mu    sync.Mutex
	file  *os.File
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
// there already counts, if it is about the same archive and was not brought to its end; otherwise the file begins anew.
func OpenInspectState(path, archive string, resume bool) (*InspectState, error) {
	s := &InspectState{known: map[string]*Inspection{}}
	if resume {
		if err := s.read(path, archive); err != nil {
			return nil, fmt.Errorf("read what was verified before: %w", err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("note what is verified: %w", err)
	}
	var err error
	if s.file, err = os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644); err != nil {
		return nil, fmt.Errorf("note what is verified: %w", err)
	}
	err = s.line(stateHead{Version: stateVersion, Archive: archive})
	for _, n := range s.known { // a line that was torn is gone by this
		if err == nil {
			err = s.line(n)
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	return s, nil
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

func (s *InspectState) line(v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = s.file.Write(append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("note what is verified: %w", err)
	}
	return nil
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
func (s *InspectState) note(n *Inspection) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.line(n)
}

// complete says that nothing is left to be verified.
func (s *InspectState) complete() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.line(stateHead{Version: stateVersion, Done: true})
}

// Close closes the file.
func (s *InspectState) Close() error { return s.file.Close() }

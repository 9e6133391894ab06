// Package storagetest holds the contracts of storage as suites that every backend passes, and wrappers that make
// storage fail, crash or lose power at a chosen step. Only tests import it.
package storagetest

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// Op names a kind of operation on a file system or on a blob store.
type Op string

// The operations that the wrappers count. Reads are not among them.
const (
	OpAny      Op = "any" // whatever comes
	OpOpen     Op = "open"
	OpWrite    Op = "write"
	OpSync     Op = "sync"
	OpTruncate Op = "truncate"
	OpClose    Op = "close"
	OpLink     Op = "link"
	OpRemove   Op = "remove"
	OpSyncDir  Op = "syncdir"

	OpPut     Op = "put"
	OpBlob    Op = "blob" // opening a blob
	OpStat    Op = "stat"
	OpList    Op = "list"
	OpDelete  Op = "delete"
	opUnknown Op = ""
)

var ops = []Op{OpAny, OpOpen, OpWrite, OpSync, OpTruncate, OpClose, OpLink, OpRemove, OpSyncDir, OpPut, OpBlob, OpStat, OpList, OpDelete}

// When says how far the chosen operation comes.
type When string

// The times at which a fault or a crash can strike.
const (
	Before When = ""      // nothing of the operation is carried out
	Half   When = "half"  // half of the bytes of a write are written; other operations: as Before
	After  When = "after" // the operation is carried out in full, and then it strikes
)

// Point is a place in the course of a program: the N-th operation of a kind.
type Point struct {
	Op     Op
	Suffix string // counts only operations on paths or keys that end so; empty: all
	N      int    // from 1
	Rest   bool   // every later operation of the kind, too
	When   When
}

// ParsePoint reads OP[@SUFFIX]:N[+][:half|:after]: "write:17" is the 17th write, "sync@.warc.gz:3:after" the third sync
// of a segment once it is carried out, "link:1+" all links, "write:2:half" a torn write.
func ParsePoint(s string) (Point, error) {
	head, rest, ok := strings.Cut(s, ":")
	var p Point
	op, suffix, _ := strings.Cut(head, "@")
	p.Suffix = suffix
	for _, o := range ops {
		if op == string(o) {
			p.Op = o
		}
	}
	num, when, _ := strings.Cut(rest, ":")
	num, p.Rest = strings.CutSuffix(num, "+")
	n, err := strconv.Atoi(num)
	p.N, p.When = n, When(when)
	if !ok || err != nil || n < 1 || p.Op == opUnknown || p.When != Before && p.When != Half && p.When != After {
		return Point{}, fmt.Errorf("point %q: the form is OP[@SUFFIX]:N[+][:half|:after]", s)
	}
	return p, nil
}

// String is the form that ParsePoint reads.
func (p Point) String() string {
	s := string(p.Op)
	if p.Suffix != "" {
		s += "@" + p.Suffix
	}
	s += ":" + strconv.Itoa(p.N)
	if p.Rest {
		s += "+"
	}
	if p.When != Before {
		s += ":" + string(p.When)
	}
	return s
}

// meter counts the operations that a point speaks of.
type meter struct {
	mu   sync.Mutex
	p    Point
	seen int
}

// strikes tells whether this operation is the chosen one.
func (m *meter) strikes(op Op, name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.p.Op != op && m.p.Op != OpAny || !strings.HasSuffix(name, m.p.Suffix) {
		return false
	}
	m.seen++
	return m.seen == m.p.N || m.p.Rest && m.seen > m.p.N
}

func (m *meter) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen
}

package markup

// nameTable gives small numbers to known names, without regard to ASCII case. 0 is any other name. It costs no
// allocation and, for the names that matter, one comparison.
type nameTable struct {
	names []string // names[0] is ""
	slots [1024]uint8
}

func newNameTable(names ...string) *nameTable {
	t := &nameTable{names: []string{""}}
	for _, name := range names {
		t.add(name)
	}
	return t
}

// add returns the number of a name in lower case, which is new or known.
func (t *nameTable) add(name string) uint8 {
	if id := t.lookup([]byte(name)); id != 0 || name == "" {
		return id
	}
	id := uint8(len(t.names)) // there are fewer than 200, see rules.go
	t.names = append(t.names, name)
	h := hashName([]byte(name))
	for t.slots[h] != 0 {
		h = (h + 1) % uint(len(t.slots))
	}
	t.slots[h] = id
	return id
}

func (t *nameTable) lookup(b []byte) uint8 {
	if len(b) == 0 {
		return 0
	}
	for h := hashName(b); t.slots[h] != 0; h = (h + 1) % uint(len(t.slots)) {
		if id := t.slots[h]; equalFold(b, t.names[id]) {
			return id
		}
	}
	return 0
}

func hashName(b []byte) uint {
	n := uint(len(b))
	return (n*181 + uint(b[0]|0x20)*31 + uint(b[n/2]|0x20)*11 + uint(b[n-1]|0x20)*3) % 1024
}

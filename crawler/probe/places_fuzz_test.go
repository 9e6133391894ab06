package probe

import "testing"

func FuzzPlaces(f *testing.F) {
	f.Add([]byte(`<p id=a><a name="b">`), "a", true)
	f.Add([]byte(`<p id="`), "%61", false)
	f.Add([]byte(`<textarea><p id=x>`), ":~:text=a", true)
	f.Add([]byte(`<p>a b<b>c</b> d`), "x:~:text=a-,b,c,-d&text=%", true)
	f.Fuzz(func(t *testing.T, body []byte, fragment string, whole bool) {
		missing, unsure := places(body, "", []string{fragment}, whole)
		if len(missing)+len(unsure) > 1 || len(missing) > 0 && !whole {
			t.Errorf("%q in %q: missing %q, unsure %q", fragment, body, missing, unsure)
		}
	})
}

package session

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAnAddressIsLookedThroughAsItIsRead(t *testing.T) {
	s := newSet([]string{"Sup3rS3cretTokenXy9", "key&<staple>", "c00kie%2Fvalue"})
	stars := strings.Repeat("*", len("Sup3rS3cretTokenXy9"))
	for in, want := range map[string]string{
		"http://a.test/?k=Sup3rS3cretTokenXy9&n=1": "http://a.test/?k=" + stars + "&n=1",
		"/rt?k=Sup3r\tS3cret\r\nTokenXy9":          "/rt?k=" + stars + "***",
		"http://sup3rs3crettokenxy9.evil.test/":    "http://" + stars + ".evil.test/",
		"/?k=%53up3rS3cretTokenXy9":                "/?k=***" + stars[1:],
		"/?k=%2553up3rS3cretTokenXy9":              "/?k=*****" + stars[1:],
		"/?k=%25%35%33up3rS3cretTokenXy9":          "/?k=*********" + stars[1:],
		"/?k=key&%3Cstaple%3E":                     "/?k=" + strings.Repeat("*", 16),
		"/c00kie/value":                            "/************",
		"/C00KIE%2fvalue":                          "/**************",
		"/?k=Sup3rS3cretTokenXy":                   "/?k=Sup3rS3cretTokenXy",
		"/100%":                                    "/100%",
		"":                                         "",
		"/\xff%ff%53up3rS3cretTokenXy9%":           "/\xff%ff***" + stars[1:] + "%",
		"/" + strings.Repeat("%25", 40) + "53up3rS3cretToken": "/" + strings.Repeat("%25", 40) + "53up3rS3cretToken",
	} {
		if got := s.Address(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	var none *Set
	if none.Address("/x") != "/x" || none.Text("x") != "x" {
		t.Error("nothing is a secret, and is masked")
	}
}

func TestATextThatWasCutShort(t *testing.T) {
	s := newSet([]string{"Sup3rS3cretTokenXy9"})
	for in, want := range map[string]string{
		"a Sup3rS3cretTokenXy9 b": "a ******************* b",
		"it ends in Sup3rS3c…":    "it ends in ********…",
		"it ends in Sup3rS3c":     "it ends in Sup3rS3c",
		"…kenXy9 begins it":       "…****** begins it",
		"…Xy9 begins it":          "…Xy9 begins it",
		"…TokenXy9 and Sup3r…":    "…******** and *****…",
		"…":                       "…",
		"……":                      "……",
	} {
		if got := s.Text(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestASecretInUTF16(t *testing.T) {
	s := newSet([]string{"Sup3rS3cret-ü"})
	var little, big string
	for _, c := range "<Sup3rS3cret-ü>" {
		little += string([]byte{byte(c), 0})
		big += string([]byte{0, byte(c)})
	}
	for in, want := range map[string]string{
		little: "<\x00" + strings.Repeat("*", 25) + "\x00>\x00", big: "\x00<\x00" + strings.Repeat("*", 25) + "\x00>",
	} {
		if b := []byte(in); s.Mask(b) != 1 || string(b) != want {
			t.Errorf("%q becomes %q", in, b)
		}
	}
}

func FuzzAddress(f *testing.F) {
	f.Add("http://a.test/?k=%2553up3rS3cretTokenXy9#x")
	f.Add("/\tSup3r\nS3cretTokenXy9%")
	s := newSet([]string{"Sup3rS3cretTokenXy9", "100%25 of"})
	f.Fuzz(func(t *testing.T, in string) {
		got := s.Address(in)
		if len(got) != len(in) {
			t.Fatalf("%q becomes %q", in, got)
		}
		if again := s.Address(got); again != got && !strings.Contains(in, "*") {
			t.Errorf("%q becomes %q, and then %q", in, got, again)
		}
		plain := strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(got)
		for range rounds {
			if strings.Contains(strings.ToLower(plain), "sup3rs3crettokenxy9") {
				t.Fatalf("%q becomes %q", in, got)
			}
			next, err := url.PathUnescape(plain)
			if err != nil {
				break
			}
			plain = next
		}
		if text := s.Text(in); utf8.ValidString(in) && !utf8.ValidString(text) {
			t.Errorf("%q becomes %q", in, text)
		}
	})
}

package text_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"linkstead/archive/text"
)

func TestFold(t *testing.T) {
	for _, c := range [][2]string{
		{"", ""},
		{"Abc", "abc"},
		{" a \n\t b\u00a0c ", "a b c"},
		{"“Quote” ‘single’ «other»", `"quote" 'single' "other"`},
		{"a–b—c‑d−e", "a-b-c-d-e"},
		{"ﬁsh oﬀer", "fish offer"},
		{"soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"},
		{"Straße STRASSE ΟΔΟΣ", "strasse strasse οδοσ"},
		{"ＦＵＬＬ１", "full1"},
		{"cafe\u0301", "café"},
		{"and so on…", "and so on..."},
		{"İstanbul", "istanbul"},
	} {
		if got := text.Fold(c[0]); got != c[1] {
			t.Errorf("%q: %q, want %q", c[0], got, c[1])
		}
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Don’t stop, U.S.-Russia 2016!", "don t stop u s russia 2016"},
		{"exam-\nple but Well-\nKnown and a-b", "example but well known and a b"},
		{"soft\u00adhyphen", "softhyphen"},
		{"東京都に行く", "東 京 都 に 行 く"},
		{"iPhoneを買う", "iphone を 買 う"},
		{"한국어 책", "한 국 어 책"},
		{"สวัสดี", "ส วั ส ดี"},
		{"हिन्दी में", "हिन्दी में"},
		{"cafe\u0301s", "cafés"},
		{"…—()", ""},
	} {
		var got []string
		for w := range text.Words(c.in) {
			got = append(got, w.Text)
			if w.Start < 0 || w.End <= w.Start || w.End > len(c.in) {
				t.Errorf("%q: %+v", c.in, w)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

// prose is a text of n words, none of which another seed's has.
func prose(seed string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%d", seed, i*7919%(n*3/4+1))
	}
	return out
}

func TestAlike(t *testing.T) {
	a := prose("a", 400)
	b := prose("b", 400)
	edited := slices.Clone(a)
	for i := 10; i < 400; i += 40 {
		edited[i] = "other"
	}
	text1, text2, text3 := strings.Join(a, " "), strings.Join(edited, ", "), strings.Join(b, " ")
	for _, c := range []struct {
		name      string
		a, b      string
		low, high float64
		near, far int
	}{
		{"equal", text1, strings.ToUpper(text1), 1, 1, 0, 0},
		{"ten words edited", text1, text2, 0.93, 0.96, 1, 12},
		{"nothing in common", text1, text3, 0, 0.01, 18, 64},
		{"half of it", text1, strings.Join(a[:200], " "), 0.6, 0.7, 5, 30},
		{"one word in sixty", strings.Join(a[:60], " "), strings.Join(a[:59], " ") + " other", 0.96, 0.99, 0, 10},
		{"without words", "", "", 0, 0, 0, 0},
		{"with and without", text1, "", 0, 0, 0, 64},
	} {
		if s := text.Similarity(c.a, c.b); s < c.low || s > c.high || s != text.Similarity(c.b, c.a) {
			t.Errorf("%s: similarity %.3f, want %.2f to %.2f", c.name, s, c.low, c.high)
		}
		if d := text.Distance(text.Simhash(c.a), text.Simhash(c.b)); d < c.near || d > c.far {
			t.Errorf("%s: distance %d, want %d to %d", c.name, d, c.near, c.far)
		}
	}
	if c := text.Containment(strings.Join(a[100:150], " "), text1); c != 1 {
		t.Errorf("containment %.3f", c)
	}
	if n := len(text.Shingles("one two three", 5)); n != 1 {
		t.Errorf("%d shingles of a short text", n)
	}
	if s := text.Shingles("b a b a b", 2); len(s) != 2 || !slices.IsSorted(s) {
		t.Errorf("shingles %v", s)
	}
}

func TestQuoted(t *testing.T) {
	body := "Before it.\nHe said: “The Russians have made some constructive ideas about how a ceasefire in fact could be implemented.” " +
		"Later the opposition, which had waited in Geneva for a week, was told to stop whining about it.\n" + strings.Join(prose("x", 500), " ") +
		" and in the end nothing at all was left of the talks in Geneva that had begun so well. 東京都に行くつもりだと彼は言った。"
	for _, c := range []struct {
		name, quotation string
		found           bool
		low             float64
		at              string
	}{
		{"word for word", "the Russians have made some constructive ideas", true, 1, "The Russians"},
		{"typography", "the Russians — have made “some” constructive\u00a0ideas", true, 1, "The Russians"},
		{"words left out", "The Russians have made … ideas about how a ceasefire […] could be implemented", true, 1, "The Russians"},
		{"far apart", "the opposition... was told to stop whining... nothing at all was left of the talks", true, 1, "the opposition"},
		{"words put in", "The Russians have [apparently] made some [new] ideas about how a ceasefire", true, 0.9, "The Russians"},
		{"a letter changed", "“[t]he Russians have made some constructive ideas", true, 1, "The Russians"},
		{"one word other", "The Russians have made several constructive ideas about how a ceasefire in fact could be implemented", true, 0.9, "The Russians"},
		{"one word missing", "The Russians have made constructive ideas about how a ceasefire in fact could be implemented", true, 0.9, "The Russians"},
		{"too many others", "The Americans have had few constructive ideas regarding when any ceasefire in fact might be kept", false, 0, ""},
		{"not there", "nobody has ever written such words in this place before today", false, 0, ""},
		{"two words", "constructive ideas", true, 1, "constructive"},
		{"two words that aren't there", "destructive ideas", false, 0, ""},
		{"parts in another order", "nothing at all was left of the talks ... The Russians have made some constructive ideas about how", false, 0, ""},
		{"signs", "東京都に行くつもりだ", true, 1, "東京都"},
		{"signs, one other", "東京都に来るつもりだと彼は言った", true, 0.8, "東京都"},
		{"nothing", " … ", false, 0, ""},
	} {
		found, score, at := text.Quoted(body, c.quotation)
		if found != c.found || score < c.low || score > 1 || found && !strings.HasPrefix(body[at:], c.at) {
			t.Errorf("%s: %v %.3f at %.30q", c.name, found, score, body[at:])
		}
	}
	if found, _, _ := text.Quoted("", "a quotation"); found {
		t.Error("found in nothing")
	}
}

func TestHostileQuotations(t *testing.T) {
	for _, body := range []string{strings.Repeat("a ", 200_000), strings.Repeat("a b ", 100_000), strings.Repeat("字", 100_000)} {
		for _, q := range []string{strings.Repeat("a ", 5000) + "b", strings.Repeat("a […] ", 3000) + "c", strings.Repeat("字", 4000) + "又", strings.Repeat("[", 10000)} {
			if m := text.Find(body, q); m.Score > 1 || m.End < m.Start || m.End > len(body) {
				t.Errorf("%+v", m)
			}
		}
	}
}

func FuzzQuoted(f *testing.F) {
	f.Add("a body of words that holds a quotation", "words that […] a [new] quotation")
	f.Add("字字字", "字…字")
	f.Fuzz(func(t *testing.T, body, quotation string) {
		m := text.Find(body, quotation)
		if m.Score < 0 || m.Score > 1 || m.Start < 0 || m.End < m.Start || m.End > len(body) {
			t.Fatalf("%+v in %d bytes", m, len(body))
		}
		before, middle, after := text.Excerpt(body, m.Start, m.End, 20)
		if len(before) > 20 || len(after) > 20 || len(middle) > m.End-m.Start {
			t.Fatalf("%q %q %q", before, middle, after)
		}
		if text.Fold(text.Fold(body)) != text.Fold(body) && strings.ToValidUTF8(body, "") == body {
			return
		}
		text.Simhash(body)
	})
}

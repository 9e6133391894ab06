package scar

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the golden files anew")

// plainBlocks makes the paragraphs of a plain text its blocks.
func plainBlocks(src string) []Block {
	var out []Block
	runes := 0
	for at := 0; at < len(src); {
		end := strings.Index(src[at:], "\n\n")
		if end < 0 {
			end = len(src)
		} else {
			end += at
		}
		raw := src[at:end]
		lead := len(raw) - len(strings.TrimLeft(raw, " \n\t"))
		if s := strings.TrimSpace(raw); s != "" {
			base := runes + utf8.RuneCountInString(raw[:lead])
			out = append(out, Block{Text: strings.ReplaceAll(s, "\n", " "), At: func(from, to int) (int, int) {
				a := base + utf8.RuneCountInString(s[:from])
				return a, a + utf8.RuneCountInString(s[from:to])
			}})
		}
		runes += utf8.RuneCountInString(src[at:min(len(src), end+2)])
		at = end + 2
	}
	return out
}

func readAleppo(t *testing.T) string {
	src, err := os.ReadFile("../post/testdata/aleppo.txt")
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

// Every finding in the copy of a post whose links were stripped, looked at by hand: the strong ones are all true.
func TestAleppo(t *testing.T) {
	src := readAleppo(t)
	found := Find(plainBlocks(src))
	runes := []rune(src)
	for _, s := range found {
		if got := string(runes[s.Start:s.End]); got != s.Text {
			t.Errorf("%s at %d: the source has %q there, not %q", s.Class, s.Start, got, s.Text)
		}
	}
	got, err := json.MarshalIndent(found, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "aleppo.txt.golden.json")
	if *update {
		if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(want)) != string(got) {
		t.Errorf("the findings differ from %s; run with -update and look at each", golden)
	}
}

// The strong scars of that text, each by the words around it, and what looks like one there and isn't.
func TestAleppoByHand(t *testing.T) {
	src := readAleppo(t)
	found := Find(plainBlocks(src))
	strong := map[string]Class{
		"apocalypse ( is actually": OpenParenthesis, "schools were bombed (": OpenParenthesis, "fundamentally very similarly” (": OpenParenthesis,
		"for free” ( And": OpenParenthesis, "could be implemented” (": OpenParenthesis, "opposition’” (": OpenParenthesis, "very, very clear” (": OpenParenthesis,
		"or not engaging” (": OpenParenthesis, "since 2012” (; and": OpenParenthesis, "October 2015 (, while": OpenParenthesis, "weeks of 2016” (": OpenParenthesis,
		"in Azaz:, on": ColonObject, "who the US bombs: .": ColonObject,
		"As\u00a0 reported on": MissingWord, "See this, The": MissingWord, "editor of is is very": MissingWord,
		"(–politics.html)": URLTail, "theproblematic entanglements": JoinedWords, "alreadyconceded key": JoinedWords,
	}
	n := 0
	for _, s := range found {
		if s.Class.Strong() {
			n++
		}
	}
	if n != len(strong) {
		t.Errorf("%d strong scars, want %d", n, len(strong))
	}
	for words, class := range strong {
		start, end := place(t, src, words)
		if !slices.ContainsFunc(found, func(s Scar) bool { return s.Class == class && s.Start >= start && s.End <= end }) {
			t.Errorf("%q: no %s", words, class)
		}
	}
	for _, words := range []string{"(see below)", "(old news)", "performance– not", "carpet-bombed\u00a0 by", "Out\u00a0/\u00a0 Change\u00a0)", "city of Homs: Further", "to to the"} {
		start, end := place(t, src, words)
		for _, s := range found {
			if s.Start < end && s.End > start {
				t.Errorf("%q is no scar, but was found: %+v", words, s)
			}
		}
	}
}

func place(t *testing.T, src, words string) (start, end int) {
	i := strings.Index(src, words)
	if i < 0 {
		t.Fatalf("%q isn't in the text", words)
	}
	start = utf8.RuneCountInString(src[:i])
	return start, start + utf8.RuneCountInString(words)
}

package scar

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// one reads a text as one paragraph amid enough English for its language to be known.
func one(s string) []Scar {
	lead := "The people of the city were told that it was not safe for them to go back to their homes, and that they should wait until the end of the week."
	return Find([]Block{{Text: lead}, {Text: s}})
}

func TestScars(t *testing.T) {
	for _, c := range []struct {
		text  string
		class Class
		is    string // what is found
	}{
		{"This scene from some apocalypse ( is actually between the two towns.", OpenParenthesis, "("},
		{"Three hospitals and two schools were bombed (", OpenParenthesis, "("},
		{"It has stopped them since 2012” (; and the rest is for all to see.", OpenParenthesis, "("},
		{"The talks broke down in October 2015 (, while evidence shows more.", OpenParenthesis, "("},
		{"He said that he would go (.", OpenParenthesis, "("},
		{"He said so to the paper () and to others.", OpenParenthesis, "()"},
		{"He said so in March 2016 ( ) and in May.", OpenParenthesis, "( )"},
		{"That is known (see ) to all of them.", OpenParenthesis, "(see )"},
		{"That was told by others (, 2015) many times.", OpenParenthesis, "("},
		{"This is the hospital in Azaz:, on the same day as the others.", ColonObject, ":"},
		{"It bombs everyone else (see my article on who the US bombs: .", ColonObject, ":"},
		{"The report is here: ; it was not read by many.", ColonObject, ":"},
		{"It was told by others (see here: ) before.", ColonObject, ":"},
		{"As\u00a0 reported on February 6, workers said that he told them.", MissingWord, "As\u00a0 reported"},
		{"Also the editor of is is very much for it.", MissingWord, "of is is"},
		{"See this, The army overran the town again.", MissingWord, "See this, The"},
		{"The story was told in the  of last week.", MissingWord, "the  of"},
		{"They were told to go to the . Nobody went.", MissingWord, "the ."},
		{"What he wrote can be found in , with much else.", MissingWord, "in ,"},
		{"See for more details what they wrote.", MissingWord, "See for"},
		{"He goes on to lead it until March 2017 (–politics.html); and then further.", URLTail, "(–politics.html)"},
		{"He told it to the paper (/2016/02/foo.html) and to us.", URLTail, "(/2016/02/foo.html)"},
		{"The story is at /2016/02/06/syria-talks-end.html and is long.", URLTail, "/2016/02/06/syria-talks-end.html"},
		{"He told it to us (://www.paper.test/story) in March.", URLTail, "(://www.paper.test/story)"},
		{"The story is at http://www.paper.test/2016/02/us-… and is long.", URLTail, "http://www.paper.test/2016/02/us-…"},
		{"He told it to us (news/world-middle-east-35505094) in March.", URLTail, "(news/world-middle-east-35505094)"},
		{"That is known to all for theproblematic entanglements of its arm.", JoinedWords, "theproblematic"},
		{"The United States has alreadyconceded key points of it.", JoinedWords, "alreadyconceded"},
		{"They were sent tothe city in the south.", JoinedWords, "tothe"},
		{"Photo: Nadia Haddad/Reuters", LostPicture, "Photo: Nadia Haddad/Reuters"},
		{"A street in the old town (Photo: J. Ruiz)", LostPicture, "A street in the old town (Photo: J. Ruiz)"},

		{"In December, the strikes\u00a0killed\u00a0the commander of the militia.", NoBreakSpace, "\u00a0killed\u00a0"},
		{"Also see my comment under that linked article.", Reference, "that linked article"},
		{"He said: “The bombs are falling so fast now that often rescuers don’t have time to reach the victims between blasts.”", Quotation, ""},
	} {
		all := one(c.text)
		i := slices.IndexFunc(all, func(s Scar) bool { return s.Class == c.class && (c.is == "" || s.Text == c.is) })
		if i < 0 {
			t.Errorf("%q: want a %s at %q, got %+v", c.text, c.class, c.is, all)
			continue
		}
		s := all[i]
		if s.Reason == "" || s.Confidence <= 0 || s.Confidence > 1 || s.Key == "" || s.Class.Strong() != (s.Confidence > 0.65) {
			t.Errorf("%q: %+v", c.text, s)
		}
		if before, _, _ := strings.Cut(c.text, c.is); c.is != "" && s.Start != utf8.RuneCountInString(before) {
			t.Errorf("%q: %q stands at %d", c.text, c.is, s.Start)
		}
	}
}

func TestNoScars(t *testing.T) {
	for _, text := range []string{
		"The US does not want that (old news), and less still (see below) the rest.",
		"These are about performance– not humanitarian principles.",
		"They are being bombed\u00a0 by both sides.  And by others, too.",
		"It  has two  spaces in  some  places.",
		"You are commenting using your account. Log\u00a0Out\u00a0/\u00a0 Change\u00a0)",
		"That is sad :( but true. And this, too :-( and =( again (: well (;",
		"The first: a) to go, b) to stay, c) to wait; 1) now or 2) later.",
		"Write it as ( x ) or as ( y ), and never as [ z ].",
		"Call f() or f (), then printf() and main( ) again.",
		"The function open () returns what the call to close () wants.",
		"It was seen by many (in the north, e.g. (as they say) there).",
		"At 10:30, 11:45; and by 3:1, that is 2:1.",
		"The rules are as follows:",
		"He said the following:",
		"A note¹ on that,[2] and another* one† here.[3]",
		"What it is made of is not known, and what it is for, nobody can tell.",
		"The world that we live in is old. The town he came from was far.",
		"The people they spoke of were there, and so on and so forth.",
		"It was the best of times; it was, of course, the worst of them.",
		"In and of itself, by and by, such as, and, indeed, by and large.",
		"He has had it, and that that is so is known to all.",
		"Read this, then go. See this. The army left.",
		"The word “the” is an article, and the article the, too.",
		"Use the for loop, the with statement, the is operator and the and operator.",
		"It lies in /etc/passwd or in (/usr/share/doc/foo.html), else in /home/me/2016/02/notes.html.",
		"See https://www.paper.test/2016/02/foo.html (and www.paper.test/foo.html), or write to me@paper.test.",
		"A URL begins with http:// or with \"https://\", and a page ends with .html (index.html).",
		"Visit example.com/... or http://example.org/…",
		"Notwithstanding that, therefore and whereupon, thereof, hereby, theorists, themselves, thereafter, withheld and offshoots.",
		"Whatsoever, inasmuch, nevertheless: offline, online, ongoing, overarching, understated, atypical, amoral.",
		"A well-known co-operative; e-mail, webmaster and bytecode in a filesystem with a timestamp.",
		"Ms. O’Neill’s they’re, we’ll and there’s; and rock ’n’ roll.",
		"He wrote PostgreSQL, JavaScript, iPhone, YouTube and McDonald.",
		"Photos of the town were sold. The image shows a street by the sea.",
		"Wait … and then ... nothing. Who? Why?! “No,” he said.",
		"That is 10\u00a0km or 5\u00a0000\u00a0m, p.\u00a012, and Mr.\u00a0Smith.",
		"a + b = c; x := (y; z) { return }",
		"Smile:) and wink ;) and (y) and (n).",
		"See: for instance, there.",
	} {
		for _, s := range one(text) {
			if s.Class.Strong() {
				t.Errorf("%q: %s at %q: %s", text, s.Class, s.Text, s.Reason)
			}
		}
	}
}

// What reads as English only is silent elsewhere, and each language has ways of its own to set signs.
func TestOtherLanguages(t *testing.T) {
	for name, text := range map[string]string{
		"french": "Le président a dit : « Nous irons » ; et que faire ? Il y a des gens qui ne sont pas d’accord avec lui, et pour cause ! C’est ce que disent les journaux : lesquels, du reste, " +
			"ne sont pas lus par tous ; parfois, surtout, pourtant, dessus, dessous, quelqu’un. La plupart des habitants sont partis dans le sud du pays avec leurs enfants.",
		"german": "Die Regierung hat gesagt, dass sie nicht nachgeben wird; das, was sie will, ist klar. Das Haus, in dem er wohnt, ist alt, und die, die darin leben, auch. " +
			"Der Donaudampfschifffahrtsgesellschaftskapitän unterschreibt die Übereinkunft, mit der er zurückkommt. Er kommt von dort, geht hin und macht die Tür zu. Derjenige, dessen, desto, dasselbe, undenkbar, indem.",
		"spanish": "El gobierno dijo que no lo haría; ¿por qué no? La gente de la ciudad se fue con los niños, y lo que pasó después no se sabe. ¡Vámonos! Dámelo, tómala, díselas. Al sur, del todo, uno, una.",
		"italian": "Il governo ha detto che non lo farà; perché? La gente della città se n’è andata con i bambini, e quello che è successo non si sa. Dammelo, dagli, nella notte, alla fine.",
		"dutch":   "De regering heeft gezegd dat zij het niet zal doen; de mensen van de stad zijn weggegaan met hun kinderen. Dat is het, zei hij, en het is niet anders. Waarvan, waarmee, ervan.",
		"russian": "Правительство заявило, что оно не будет этого делать; люди уехали из города (в основном на юг). О чём речь? И в 2015 г., и в 2016 г. — то же самое.",
		"chinese": "政府表示不会这样做；人们已经离开了这座城市（主要是南方）。这是什么意思：没有人知道。",
		"arabic":  "قالت الحكومة إنها لن تفعل ذلك؛ وقد غادر الناس المدينة (إلى الجنوب)، ولا أحد يعرف لماذا.",
	} {
		for _, s := range Find([]Block{{Text: text}, {Text: text}}) {
			if s.Class.Strong() {
				t.Errorf("%s: %s at %q: %s", name, s.Class, s.Text, s.Reason)
			}
		}
	}
	for text, class := range map[string]Class{
		"Die Regierung hat das nicht gesagt, sondern etwas ganz anderes (":   OpenParenthesis,
		"Das hat dieRegierung auch nicht gesagt, und sie wird es nicht tun.": JoinedWords,
		"Die Leute der Stadt sind nicht zum . Alle wissen das.":              MissingWord,
		"Die Leute der Stadt sagen es in der Zeitung:, und das ist wahr.":    ColonObject,
	} {
		found := Find([]Block{{Text: "Die Regierung hat gesagt, dass sie das nicht tun wird, und die Leute in der Stadt sind mit ihr nicht zufrieden."}, {Text: text}})
		if len(found) != 1 || found[0].Class != class {
			t.Errorf("%q: want one %s, got %+v", text, class, found)
		}
	}
}

// Where a link stands, nothing is lost.
func TestLinksFill(t *testing.T) {
	for _, c := range []struct{ text, link string }{
		{"This scene from some apocalypse ( is actually there for all to see.", " is actually"},
		{"There is a report of it in the paper ( ", " "},
		{"The editor of is is very much for it, as is known.", "is is"},
		{"The points are for theproblematic entanglements of its arm.", "theproblematic"},
		{"It was told to the paper (/2016/02/foo.html) and to us.", "/2016/02/foo.html"},
	} {
		at := strings.LastIndex(c.text, c.link)
		b := []Block{{Text: "The people of the city were told that it was not safe for them to go back."}, {Text: c.text}}
		if len(Find(b)) == 0 {
			t.Errorf("%q: nothing is found without the link", c.text)
		}
		b[1].Links = []Span{{at, at + len(c.link)}}
		if got := Find(b); len(got) != 0 {
			t.Errorf("%q: %+v", c.text, got)
		}
	}
	pictured := []Block{{Text: "A street in the old town", Kind: Caption}, {Text: "A street in the old town", Kind: Caption, Pictured: true}}
	if got := Find(pictured); len(got) != 1 || got[0].Class != LostPicture {
		t.Errorf("captions: %+v", got)
	}
}

// A key names the same scar in another copy of the text, whatever stands before the words around it, and no other scar.
func TestKeys(t *testing.T) {
	const text = "Kerry said that they had made some constructive ideas about how a ceasefire could be implemented ( and then the talks went on."
	first := one(text)[0]
	again := Find([]Block{
		{Text: "The people of the city were told that it was not safe for them to go back."},
		{Text: "Another paragraph of this text came here later."},
		{Text: strings.ReplaceAll(text, "implemented ", "implemented\u00a0")},
	})[0]
	if first.Key != again.Key {
		t.Errorf("the key changes from %s to %s", first.Key, again.Key)
	}
	seen := map[string]bool{}
	for range 3 {
		for _, s := range Find([]Block{{Text: text}, {Text: text}, {Text: text + " More was said ("}}) {
			seen[s.Key] = true
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d keys for 4 scars", len(seen))
	}
}

func TestBounds(t *testing.T) {
	found := Find([]Block{{Text: strings.Repeat("It was told in the paper (, while others said so. ", 5000)}})
	if len(found) != MaxScars {
		t.Errorf("%d scars, want %d", len(found), MaxScars)
	}
	deep := strings.Repeat("( ", 1<<20) + strings.Repeat(": ,", 1<<18) + strings.Repeat("“ ", 1<<18) + strings.Repeat("\u00a0a", 1<<18)
	if found = Find([]Block{{Text: deep}, {Text: strings.Repeat("a", 1<<22)}, {Text: strings.Repeat("the ", 1<<20)}}); len(found) > MaxScars {
		t.Errorf("%d scars", len(found))
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"some apocalypse ( is", "in Azaz:, on", "As\u00a0 reported on", "(–politics.html)", "theproblematic", "“(;” () ( )", "\xff(\xfe:,\u00a0a\u00a0"} {
		f.Add(s, 3, 9)
	}
	f.Fuzz(func(t *testing.T, s string, from, to int) {
		b := Block{Text: s, Links: []Span{{from, to}}, Code: []Span{{from, to}, {to, from}}}
		size := utf8.RuneCountInString(s)
		for _, x := range Find([]Block{{Text: "The people of the city were told that it was not safe for them to go back."}, b, {Text: s}}) {
			if x.Start < 0 || x.End < x.Start || x.End > max(size, 80) || x.Key == "" || x.Confidence <= 0 {
				t.Fatalf("%q: %+v", s, x)
			}
		}
	})
}

func BenchmarkFind(b *testing.B) {
	para := "The talks broke down in October 2015 (, while evidence shows that it was reported by others for theproblematic reasons of the regime. "
	var blocks []Block
	for range 1000 {
		blocks = append(blocks, Block{Text: strings.Repeat(para, 8)})
	}
	b.SetBytes(int64(1000 * 8 * len(para)))
	for b.Loop() {
		Find(blocks)
	}
}

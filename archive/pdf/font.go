package pdf

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// font turns the codes of a string into characters.
type font struct {
	wide    bool           // codes of two bytes, as composite fonts have, unless the map says otherwise
	unicode map[int]string // ToUnicode: by the code and its length, see codeKey
	lengths [5]bool        // of the codes that the map has
	simple  *[256]string   // of a simple font
	widths  map[int]float64
	utf16   bool    // the codes are UTF-16
	usual   float64 // width of what widths lacks, in thousandths of the size
}

// Bounds of a font.
const (
	maxMap    = 1 << 17 // characters of a map
	maxWidths = 1 << 17
)

func codeKey(code, length int) int { return length<<32 | code }

// font reads a font's dictionary.
func (f *file) font(d dict) *font {
	t := &font{unicode: map[int]string{}, widths: map[int]float64{}, usual: 500}
	t.wide = f.resolve(d["Subtype"]) == name("Type0")
	if s, ok := f.resolve(d["ToUnicode"]).(*stream); ok {
		t.readMap(f.decoded(s), &f.fuel)
	}
	if t.wide {
		n, _ := f.resolve(d["Encoding"]).(name)
		t.utf16 = strings.HasPrefix(string(n), "Uni") && (strings.Contains(string(n), "UCS2") || strings.Contains(string(n), "UTF16"))
		if ds := f.list(d["DescendantFonts"]); len(ds) > 0 {
			f.wideWidths(t, f.dict(ds[0]))
		}
		return t
	}
	t.simple = f.encoding(d)
	from := f.number(d["FirstChar"], 0)
	for i, w := range f.list(d["Widths"]) {
		if n, ok := f.resolve(w).(float64); ok && i < 256 {
			t.widths[from+i] = n
		}
	}
	if len(t.widths) == 0 {
		base, _ := f.resolve(d["BaseFont"]).(name)
		t.usualWidths(string(base))
	}
	if f.resolve(d["Subtype"]) == name("Type3") {
		scale := 0.001
		if m := f.list(d["FontMatrix"]); len(m) > 0 {
			if n, ok := f.resolve(m[0]).(float64); ok {
				scale = n
			}
		}
		for k := range t.widths {
			t.widths[k] *= scale * 1000
		}
	}
	return t
}

// wideWidths reads the W array of a CIDFont (§9.7.4.3).
func (f *file) wideWidths(t *font, d dict) {
	t.usual = float64(f.number(d["DW"], 1000))
	w := f.list(d["W"])
	for i := 0; i+1 < len(w) && len(t.widths) < maxWidths; {
		from := f.number(w[i], 0)
		switch second := f.resolve(w[i+1]).(type) {
		case []any:
			for j, v := range second {
				if n, ok := f.resolve(v).(float64); ok && len(t.widths) < maxWidths {
					t.widths[from+j] = n
				}
			}
			i += 2
		case float64:
			if i+2 >= len(w) {
				return
			}
			n, _ := f.resolve(w[i+2]).(float64)
			f.fuel.spend(min(max(0, int(second)-from), maxWidths))
			for c := from; f.fuel.left > 0 && c <= int(second) && len(t.widths) < maxWidths; c++ {
				t.widths[c] = n
			}
			i += 3
		default:
			return
		}
	}
}

// readMap reads a ToUnicode map (§9.10.3).
func (t *font) readMap(b []byte, fuel *fuel) {
	p := parser{src: b, fuel: fuel}
	var items []any
	for {
		switch v := p.next(0).(type) {
		case end:
			return
		case word:
			switch v {
			case "endbfchar":
				for i := 0; i+1 < len(items); i += 2 {
					t.mapOne(items[i], items[i+1], 0)
				}
			case "endbfrange":
				for i := 0; i+2 < len(items) && fuel.left > 0; i += 3 {
					fuel.spend(t.mapRange(items[i], items[i+1], items[i+2]))
				}
			case "endcodespacerange":
				if s, ok := firstText(items); ok && len(s) <= 4 {
					t.lengths[len(s)] = true
				}
			}
			items = items[:0]
		default:
			if items = append(items, v); len(items) > maxItems {
				return
			}
		}
	}
}

func firstText(items []any) (text, bool) {
	if len(items) == 0 {
		return "", false
	}
	s, ok := items[0].(text)
	return s, ok
}

func (t *font) mapOne(from, to any, plus int) {
	code, ok := from.(text)
	out, ok2 := to.(text)
	if !ok || !ok2 || len(code) == 0 || len(code) > 4 || len(out) > 64 || len(t.unicode) >= maxMap {
		return
	}
	rs := utf16.Decode(units([]byte(out)))
	if len(rs) == 0 {
		return
	}
	rs[len(rs)-1] += rune(plus)
	t.lengths[len(code)] = true
	t.unicode[codeKey(number(code)+plus, len(code))] = string(rs)
}

// mapRange maps the codes of a range, and returns how many it has.
func (t *font) mapRange(from, to, target any) int {
	a, ok := from.(text)
	b, ok2 := to.(text)
	if !ok || !ok2 || len(a) == 0 || len(a) > 4 {
		return 0
	}
	n := number(b) - number(a)
	if n < 0 || n > 65535 {
		return 0
	}
	if list, isList := target.([]any); isList {
		for i := 0; i <= n && i < len(list); i++ {
			t.mapOne(text(bytesOf(number(a)+i, len(a))), list[i], 0)
		}
		return n
	}
	for i := 0; i <= n && len(t.unicode) < maxMap; i++ {
		t.mapOne(a, target, i)
	}
	return n
}

func number(s text) (n int) {
	for _, c := range []byte(s) {
		n = n<<8 | int(c)
	}
	return n
}

func bytesOf(n, length int) []byte {
	out := make([]byte, length)
	for i := length - 1; i >= 0; i-- {
		out[i] = byte(n)
		n >>= 8
	}
	return out
}

func units(b []byte) []uint16 {
	out := make([]uint16, 0, len(b)/2)
	if len(b) == 1 { // not allowed, and met
		return []uint16{uint16(b[0])}
	}
	for ; len(b) > 1; b = b[2:] {
		out = append(out, uint16(b[0])<<8|uint16(b[1]))
	}
	return out
}

// next takes one code off a string: what it says, how wide it is in thousandths, and how long the code was.
func (t *font) next(s text) (said string, width float64, n int) {
	n = 1
	if t.wide {
		n = 2
		if t.lengths[1] && !t.lengths[2] {
			n = 1
		}
		if t.lengths[1] && t.lengths[2] {
			if _, short := t.unicode[codeKey(int(s[0]), 1)]; short {
				n = 1
			}
		}
	}
	n = min(n, len(s))
	code := number(s[:n])
	width = t.usual
	if w, ok := t.widths[code]; ok {
		width = w
	}
	if u, ok := t.unicode[codeKey(code, n)]; ok {
		return spell(u), width, n
	}
	if t.utf16 && code > 0 && n == 2 {
		return spell(string(rune(code))), width, n
	}
	if t.simple != nil {
		return t.simple[code&255], width, n
	}
	return "\uFFFD", width, n
}

// spell takes ligatures apart, and drops what is no text.
func spell(s string) string {
	for _, r := range s {
		if r >= 0xFB00 && r <= 0xFB06 {
			return norm.NFKC.String(s)
		}
	}
	return strings.Map(func(r rune) rune {
		if r == 0 || r == 0xAD || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
}

// encoding tells what the codes of a simple font are.
func (f *file) encoding(d dict) *[256]string {
	t := standard
	e := f.resolve(d["Encoding"])
	base, _ := e.(name)
	diff, isDict := e.(dict)
	if isDict {
		base, _ = f.resolve(diff["BaseEncoding"]).(name)
	}
	switch base {
	case "WinAnsiEncoding":
		t = winAnsi
	case "MacRomanEncoding":
		t = macRoman
	case "":
		f.builtIn(d, &t)
	}
	code := 0
	for _, v := range f.list(diff["Differences"]) {
		switch v := f.resolve(v).(type) {
		case float64:
			code = int(v)
		case name:
			if code >= 0 && code < 256 {
				t[code] = glyph(string(v))
			}
			code++
		}
	}
	return &t
}

var dupPut = regexp.MustCompile(`dup\s+(\d{1,3})\s*/([A-Za-z0-9._]{1,40})\s+put`)

// builtIn reads the encoding that a Type 1 font program has itself: it stands there in plain text.
func (f *file) builtIn(d dict, t *[256]string) {
	s, ok := f.resolve(f.dict(d["FontDescriptor"])["FontFile"]).(*stream)
	if !ok {
		return
	}
	b := f.decoded(s)
	if i := bytes.Index(b, []byte("eexec")); i >= 0 {
		b = b[:i]
	}
	for _, m := range dupPut.FindAllSubmatch(b[:min(len(b), 64<<10)], 256) {
		if code, err := strconv.Atoi(string(m[1])); err == nil && code < 256 {
			t[code] = glyph(string(m[2]))
		}
	}
}

// tables of the encodings that PDF names (Annex D).
var (
	winAnsi  = tableOf(charmap.Windows1252)
	macRoman = tableOf(charmap.Macintosh)
	standard = standardTable()
)

func tableOf(m *charmap.Charmap) (t [256]string) {
	for i := 32; i < 256; i++ {
		if r := m.DecodeByte(byte(i)); r != utf8.RuneError && r != 0xAD {
			t[i] = string(r)
		}
	}
	return t
}

// standardTable is StandardEncoding; below 32 it has the ligatures that TeX's fonts have there, where others have nothing.
func standardTable() (t [256]string) {
	for i := 32; i < 127; i++ {
		t[i] = string(rune(i))
	}
	t[39], t[96] = "’", "‘"
	for i, s := range map[int]string{
		11: "ff", 12: "fi", 13: "fl", 14: "ffi", 15: "ffl",
		161: "¡", 162: "¢", 163: "£", 164: "/", 165: "¥", 166: "ƒ", 167: "§", 168: "¤", 169: "'", 170: "“", 171: "«", 172: "‹", 173: "›",
		174: "fi", 175: "fl", 177: "–", 178: "†", 179: "‡", 180: "·", 182: "¶", 183: "•", 184: "‚", 185: "„", 186: "”", 187: "»", 188: "…",
		189: "‰", 191: "¿", 193: "`", 194: "´", 195: "ˆ", 196: "˜", 197: "¯", 198: "˘", 199: "˙", 200: "¨", 202: "˚", 203: "¸", 205: "˝",
		206: "˛", 207: "ˇ", 208: "—", 225: "Æ", 227: "ª", 232: "Ł", 233: "Ø", 234: "Œ", 235: "º", 241: "æ", 245: "ı", 248: "ł", 249: "ø",
		250: "œ", 251: "ß",
	} {
		t[i] = s
	}
	return t
}

// glyph tells what a glyph's name means (Adobe Glyph List, as far as text needs it).
func glyph(n string) string {
	n, _, _ = strings.Cut(n, ".")
	if len(n) == 1 {
		return n
	}
	if s, ok := glyphs[n]; ok {
		return s
	}
	for _, prefix := range []string{"uni", "u"} {
		if h, ok := strings.CutPrefix(n, prefix); ok && len(h) >= 4 && len(h) <= 6 {
			if r, err := strconv.ParseUint(h, 16, 32); err == nil && r <= utf8.MaxRune && utf8.ValidRune(rune(r)) {
				return spell(string(rune(r)))
			}
		}
	}
	for accent, mark := range accents {
		if base, ok := strings.CutSuffix(n, accent); ok && len(base) == 1 {
			return norm.NFC.String(base + mark)
		}
	}
	if strings.Contains(n, "_") { // f_i
		var sb strings.Builder
		for _, part := range strings.SplitN(n, "_", 5) {
			if part != "" && !strings.Contains(part, "_") {
				sb.WriteString(glyph(part))
			}
		}
		return sb.String()
	}
	return ""
}

var accents = map[string]string{
	"acute": "\u0301", "grave": "\u0300", "circumflex": "\u0302", "tilde": "\u0303", "dieresis": "\u0308", "ring": "\u030A",
	"cedilla": "\u0327", "caron": "\u030C", "breve": "\u0306", "macron": "\u0304", "ogonek": "\u0328", "dotaccent": "\u0307",
	"hungarumlaut": "\u030B",
}

var glyphs = map[string]string{
	"space": " ", "nbspace": " ", "exclam": "!", "quotedbl": `"`, "numbersign": "#", "dollar": "$", "percent": "%", "ampersand": "&",
	"quotesingle": "'", "quoteright": "’", "quoteleft": "‘", "parenleft": "(", "parenright": ")", "asterisk": "*", "plus": "+", "comma": ",",
	"hyphen": "-", "sfthyphen": "-", "minus": "-", "period": ".", "slash": "/", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4",
	"five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "colon": ":", "semicolon": ";", "less": "<", "equal": "=",
	"greater": ">", "question": "?", "at": "@", "bracketleft": "[", "backslash": `\`, "bracketright": "]", "asciicircum": "^",
	"underscore": "_", "grave": "`", "braceleft": "{", "bar": "|", "braceright": "}", "asciitilde": "~", "tilde": "~", "similar": "~",
	"asciitildelow": "~", "endash": "–", "emdash": "—", "quotedblleft": "“", "quotedblright": "”", "quotedblbase": "„", "quotesinglbase": "‚",
	"guillemotleft": "«", "guillemotright": "»", "guilsinglleft": "‹", "guilsinglright": "›", "ellipsis": "…", "bullet": "•",
	"periodcentered": "·", "section": "§", "paragraph": "¶", "dagger": "†", "daggerdbl": "‡", "copyright": "©", "registered": "®",
	"trademark": "™", "degree": "°", "plusminus": "±", "multiply": "×", "divide": "÷", "cent": "¢", "sterling": "£", "yen": "¥", "Euro": "€",
	"fi": "fi", "fl": "fl", "ff": "ff", "ffi": "ffi", "ffl": "ffl", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "oslash": "ø", "Oslash": "Ø",
	"germandbls": "ß", "eth": "ð", "Eth": "Ð", "thorn": "þ", "Thorn": "Þ", "lslash": "ł", "Lslash": "Ł", "dotlessi": "ı", "dotlessj": "j",
	"exclamdown": "¡", "questiondown": "¿", "mu": "µ", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "lambda": "λ",
	"pi": "π", "sigma": "σ", "tau": "τ", "phi": "φ", "omega": "ω", "fraction": "/", "visiblespace": " ", "acute": "´", "dieresis": "¨",
}

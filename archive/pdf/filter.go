package pdf

import (
	"bytes"
	"compress/flate"
	"encoding/ascii85"
	"io"
)

// Bounds of what streams may decode to, in bytes.
const (
	maxStream  = 32 << 20
	maxDecoded = 128 << 20 // all streams of a file
)

// decoded is what a stream holds, decrypted and decoded; what can't be decoded to its end is returned as far as it goes, and
// what no filter of ours decodes (pictures) not at all.
func (f *file) decoded(s *stream) []byte {
	b := s.raw
	if f.crypt != nil && s.of.num != 0 && f.resolve(s.dict["Type"]) != name("XRef") {
		b = f.crypt.stream(b, s.of)
	}
	filters := f.list(s.dict["Filter"])
	parms := f.list(first(s.dict["DecodeParms"], s.dict["DP"]))
	for i, v := range filters {
		if i >= 8 {
			return nil
		}
		var parm dict
		if i < len(parms) {
			parm, _ = f.resolve(parms[i]).(dict)
		}
		n, _ := f.resolve(v).(name)
		var ok bool
		if b, ok = f.filter(n, parm, b); !ok {
			return nil
		}
		if f.spare -= len(b); f.spare < 0 {
			f.full = true
			return nil
		}
	}
	return b
}

func first(vs ...any) any {
	for _, v := range vs {
		if v != nil {
			return v
		}
	}
	return nil
}

func (f *file) filter(n name, parm dict, b []byte) ([]byte, bool) {
	limit := min(maxStream, f.spare)
	switch n {
	case "FlateDecode", "Fl":
		return f.predicted(inflate(b, limit), parm), true
	case "LZWDecode", "LZW":
		early := 1
		if v, ok := f.resolve(parm["EarlyChange"]).(float64); ok && v == 0 {
			early = 0
		}
		return f.predicted(unlzw(b, early, limit), parm), true
	case "ASCII85Decode", "A85":
		return un85(b), true
	case "ASCIIHexDecode", "AHx":
		p := parser{src: append([]byte("<"), b...), fuel: &fuel{left: 1}}
		s, _ := p.hex().(text)
		return []byte(s), true
	case "RunLengthDecode", "RL":
		return unrun(b, limit), true
	case "Crypt":
		return b, true
	}
	return nil, false
}

// inflate undoes zlib without minding its header and checksum, which damaged files have wrong.
func inflate(b []byte, limit int) []byte {
	b = bytes.TrimLeft(b, "\r\n")
	if len(b) < 2 {
		return nil
	}
	var out bytes.Buffer
	_, _ = io.Copy(&out, io.LimitReader(flate.NewReader(bytes.NewReader(b[2:])), int64(limit))) // as far as it goes
	return out.Bytes()
}

func un85(b []byte) []byte {
	b = bytes.TrimPrefix(bytes.TrimSpace(b), []byte("<~"))
	if i := bytes.IndexByte(b, '~'); i >= 0 {
		b = b[:i]
	}
	out := make([]byte, 4*len(b)+4)
	n, _, _ := ascii85.Decode(out, b, true) // as far as it goes
	return out[:n]
}

func unrun(b []byte, limit int) []byte {
	var out []byte
	for i := 0; i < len(b) && b[i] != 128 && len(out) < limit; {
		n := int(b[i])
		i++
		switch {
		case n < 128:
			to := min(i+n+1, len(b))
			out = append(out, b[i:to]...)
			i = to
		case i < len(b):
			out = append(out, bytes.Repeat(b[i:i+1], 257-n)...)
			i++
		}
	}
	return out[:min(len(out), limit)]
}

// unlzw undoes the LZW of §7.4.4: codes of 9 to 12 bits, high bits first.
func unlzw(b []byte, early, limit int) []byte {
	const reset, eod = 256, 257
	var (
		out    []byte
		prefix [4096]int
		suffix [4096]byte
		size   [4096]int
		next   = 258
		width  = 9
		last   = -1
		bits   uint32
		have   int
	)
	emit := func(code int) byte { // appends an entry and returns its first byte
		n := 1
		if code >= 258 {
			n = size[code]
		}
		at := len(out)
		out = append(out, make([]byte, n)...)
		for i := n - 1; code >= 258; i-- {
			out[at+i] = suffix[code]
			code = prefix[code]
		}
		out[at] = byte(code)
		return byte(code)
	}
	for _, c := range b {
		bits, have = bits<<8|uint32(c), have+8
		if have < width {
			continue
		}
		have -= width
		code := int(bits>>have) & (1<<width - 1)
		switch {
		case code == eod, len(out) >= limit:
			return out[:min(len(out), limit)]
		case code == reset:
			next, width, last = 258, 9, -1
			continue
		case last < 0 && code > 255, code > next, code == next && last < 0:
			return out
		}
		switch {
		case last < 0:
			emit(code)
		case next >= 4096:
			if code >= next {
				return out
			}
			emit(code)
		default:
			prefix[next] = last
			size[next] = 2
			if last >= 258 {
				size[next] = size[last] + 1
			}
			if code == next {
				at := len(out)
				suffix[next] = emit(last)
				out = append(out, out[at])
			} else {
				suffix[next] = emit(code)
			}
			next++
		}
		last = code
		for width < 12 && next+early >= 1<<width {
			width++
		}
	}
	return out[:min(len(out), limit)]
}

// predicted undoes the PNG predictors (§7.4.4.4).
func (f *file) predicted(b []byte, parm dict) []byte {
	if p, _ := f.resolve(parm["Predictor"]).(float64); p < 10 {
		return b
	}
	colors, bits, columns := f.number(parm["Colors"], 1), f.number(parm["BitsPerComponent"], 8), f.number(parm["Columns"], 1)
	if colors < 1 || colors > 32 || bits < 1 || bits > 32 || columns < 1 || columns > 1<<20 {
		return b
	}
	px := (colors*bits + 7) / 8
	row := (colors*bits*columns + 7) / 8
	if row > 1<<20 {
		return b
	}
	var out []byte
	prev := make([]byte, row)
	for len(b) > 1 && len(out) < maxStream {
		kind := b[0]
		cur := make([]byte, row)
		b = b[1+copy(cur, b[1:]):]
		for i := range cur {
			var left, up, corner byte
			up = prev[i]
			if i >= px {
				left, corner = cur[i-px], prev[i-px]
			}
			switch kind {
			case 1:
				cur[i] += left
			case 2:
				cur[i] += up
			case 3:
				cur[i] += byte((int(left) + int(up)) / 2)
			case 4:
				cur[i] += paeth(left, up, corner)
			}
		}
		out = append(out, cur...)
		prev = cur
	}
	return out
}

func paeth(a, b, c byte) byte {
	abs := func(n int) int { return max(n, -n) }
	p := int(a) + int(b) - int(c)
	da, db, dc := abs(p-int(a)), abs(p-int(b)), abs(p-int(c))
	switch {
	case da <= db && da <= dc:
		return a
	case db <= dc:
		return b
	}
	return c
}

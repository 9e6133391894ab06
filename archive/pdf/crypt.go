package pdf

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
)

// crypt decrypts a file that anybody may read: one whose user password is empty (§7.6). Many papers are so, to keep people
// from printing them.
type crypt struct {
	key     []byte
	aes     bool
	v5      bool // one key for all objects
	streams bool // whether they are encrypted at all
	strings bool
}

var padding = []byte("\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08\x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A")

// locked says that a password is needed.
func (f *file) locked() bool { return f.trailer["Encrypt"] != nil && f.crypt == nil }

// unlock finds the key, if the file is encrypted and no password is needed.
func (f *file) unlock() {
	e := f.dict(f.trailer["Encrypt"])
	if e == nil {
		return
	}
	clear(f.cache)
	if f.resolve(e["Filter"]) != name("Standard") {
		return
	}
	v, r := f.number(e["V"], 0), f.number(e["R"], 0)
	c := &crypt{streams: true, strings: true}
	if v >= 4 {
		c.streams = f.method(c, e, "StmF")
		c.strings = f.method(c, e, "StrF")
	}
	switch v {
	case 1, 2, 4:
		c.key = f.legacyKey(e, v, r)
	case 5:
		c.v5, c.aes = true, true
		c.key = f.key5(e, r)
	}
	if c.key != nil {
		f.crypt = c
	}
}

// method reads how one kind of thing is encrypted; false if it is not.
func (f *file) method(c *crypt, e dict, which name) bool {
	n, _ := f.resolve(e[which]).(name)
	if n == "" || n == "Identity" {
		return false
	}
	cf := f.dict(f.dict(e["CF"])[n])
	switch f.resolve(cf["CFM"]) {
	case name("AESV2"), name("AESV3"):
		c.aes = true
	case name("None"):
		return false
	}
	return true
}

// legacyKey is algorithm 2, and algorithms 4 and 5 to see whether it is right.
func (f *file) legacyKey(e dict, v, r int) []byte {
	o, _ := f.resolve(e["O"]).(text)
	u, _ := f.resolve(e["U"]).(text)
	if len(o) < 32 || len(u) < 16 {
		return nil
	}
	size := 5
	if v > 1 {
		size = f.number(e["Length"], 40) / 8
		if v == 4 && size < 16 {
			size = 16
		}
	}
	if size < 5 || size > 16 {
		return nil
	}
	var id text
	if ids := f.list(f.trailer["ID"]); len(ids) > 0 {
		id, _ = f.resolve(ids[0]).(text)
	}
	perms := binary.LittleEndian.AppendUint32(nil, uint32(int64(f.number(e["P"], 0))))
	b := append(append(append(bytes.Clone(padding), o[:32]...), perms...), id...)
	if meta, ok := f.resolve(e["EncryptMetadata"]).(bool); r >= 4 && ok && !meta {
		b = append(b, 0xFF, 0xFF, 0xFF, 0xFF)
	}
	sum := md5.Sum(b)
	if r >= 3 {
		for range 50 {
			sum = md5.Sum(sum[:size])
		}
	}
	key := bytes.Clone(sum[:size])
	if r < 3 {
		if !bytes.Equal(rc4ed(key, padding), []byte(u)) {
			return nil
		}
		return key
	}
	check := md5.Sum(append(bytes.Clone(padding), id...))
	x := rc4ed(key, check[:])
	for i := 1; i < 20; i++ {
		k := bytes.Clone(key)
		for j := range k {
			k[j] ^= byte(i)
		}
		x = rc4ed(k, x)
	}
	if !bytes.Equal(x, []byte(u[:16])) {
		return nil
	}
	return key
}

// key5 is algorithm 2.A of ISO 32000-2, with the empty password.
func (f *file) key5(e dict, r int) []byte {
	u, _ := f.resolve(e["U"]).(text)
	ue, _ := f.resolve(e["UE"]).(text)
	if len(u) < 48 || len(ue) < 32 {
		return nil
	}
	hash := func(salt text) []byte {
		sum := sha256.Sum256([]byte(salt))
		if r < 6 {
			return sum[:]
		}
		return hash6(sum[:])
	}
	if !bytes.Equal(hash(u[32:40]), []byte(u[:32])) {
		return nil
	}
	block, err := aes.NewCipher(hash(u[40:48]))
	if err != nil {
		return nil
	}
	key := make([]byte, 32)
	cipher.NewCBCDecrypter(block, make([]byte, 16)).CryptBlocks(key, []byte(ue[:32]))
	return key
}

// hash6 is algorithm 2.B for the empty password.
func hash6(k []byte) []byte {
	for i := 0; ; i++ {
		b := bytes.Repeat(k, 64)
		block, err := aes.NewCipher(k[:16])
		if err != nil {
			return nil
		}
		cipher.NewCBCEncrypter(block, k[16:32]).CryptBlocks(b, b)
		sum := 0
		for _, c := range b[:16] {
			sum += int(c)
		}
		switch sum % 3 {
		case 0:
			s := sha256.Sum256(b)
			k = s[:]
		case 1:
			s := sha512.Sum384(b)
			k = s[:]
		default:
			s := sha512.Sum512(b)
			k = s[:]
		}
		if i >= 63 && int(b[len(b)-1]) <= i-32 {
			return k[:32]
		}
	}
}

func rc4ed(key, b []byte) []byte {
	out := make([]byte, len(b))
	c, err := rc4.NewCipher(key)
	if err != nil {
		return b
	}
	c.XORKeyStream(out, b)
	return out
}

func (c *crypt) stream(b []byte, of ref) []byte {
	if !c.streams {
		return b
	}
	return c.open(b, of)
}

func (c *crypt) text(b []byte, of ref) []byte {
	if !c.strings {
		return b
	}
	return c.open(b, of)
}

// open decrypts what belongs to an object (algorithms 1 and 1.A).
func (c *crypt) open(b []byte, of ref) []byte {
	key := c.key
	if !c.v5 {
		k := append(bytes.Clone(key), byte(of.num), byte(of.num>>8), byte(of.num>>16), byte(of.gen), byte(of.gen>>8))
		if c.aes {
			k = append(k, "sAlT"...)
		}
		sum := md5.Sum(k)
		key = sum[:min(len(key)+5, 16)]
	}
	if !c.aes {
		return rc4ed(key, b)
	}
	if len(b) < 32 {
		return nil
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil
	}
	iv, b := b[:16], b[16:len(b)-len(b)%16]
	out := make([]byte, len(b))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, b)
	if n := int(out[len(out)-1]); n >= 1 && n <= 16 {
		out = out[:len(out)-n]
	}
	return out
}

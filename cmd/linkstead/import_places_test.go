package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"linkstead/storage/storagetest"
)

// zip64 is a ZIP file with one stored entry whose sizes and places stand in ZIP64 fields alone, as those of large WACZ files do.
func zip64(name string, data []byte) []byte {
	const most = 0xFFFFFFFF
	n, sum := uint64(len(data)), crc32.ChecksumIEEE(data)
	le := binary.LittleEndian
	var b []byte
	b = le.AppendUint32(b, 0x04034b50)
	b = append(b, 45, 0, 0, 0, 0, 0, 0, 0, 0x21, 0) // needs 4.5, no flags, stored, 1 January 1980
	b = le.AppendUint32(le.AppendUint32(le.AppendUint32(b, sum), most), most)
	b = le.AppendUint16(le.AppendUint16(b, uint16(len(name))), 20)
	b = append(b, name...)
	b = le.AppendUint64(le.AppendUint64(append(b, 1, 0, 16, 0), n), n)
	b = append(b, data...)
	at := uint64(len(b))
	b = le.AppendUint32(b, 0x02014b50)
	b = append(b, 45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0x21, 0)
	b = le.AppendUint32(le.AppendUint32(le.AppendUint32(b, sum), most), most)
	b = le.AppendUint16(le.AppendUint16(b, uint16(len(name))), 28)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) // comment, disk, attributes
	b = append(le.AppendUint32(b, most), name...)
	b = le.AppendUint64(le.AppendUint64(le.AppendUint64(append(b, 1, 0, 24, 0), n), n), 0)
	size := uint64(len(b)) - at
	end := uint64(len(b))
	b = le.AppendUint64(le.AppendUint32(b, 0x06064b50), 44)
	b = append(b, 45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = le.AppendUint64(le.AppendUint64(le.AppendUint64(le.AppendUint64(b, 1), 1), size), at)
	b = le.AppendUint64(append(le.AppendUint32(b, 0x07064b50), 0, 0, 0, 0), end)
	b = append(b, 1, 0, 0, 0)
	b = append(le.AppendUint32(b, 0x06054b50), 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF)
	return append(le.AppendUint32(le.AppendUint32(b, most), most), 0, 0)
}

// foreignGz are records, a gzip member each.
func foreignGz(t *testing.T, records []string) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, r := range records {
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(r)) // it writes to memory
		_ = z.Close()
	}
	return b.Bytes()
}

// TestImportPlaces: a WARC, a WACZ, and a WACZ in ZIP64 are indexed where they lie, in a folder and on S3, and read there by range.
func TestImportPlaces(t *testing.T) {
	t.Parallel()
	s3 := storagetest.S3(t)
	bucket := s3.NewBucket(t)
	records := foreignGz(t, foreignRecords())
	dir := t.TempDir()
	store := s3.Open(t, "s3://"+bucket)
	var files []string
	for name, data := range map[string][]byte{"in.warc.gz": records, "big.wacz": zip64("archive/data.warc.gz", records)} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		if err := store.Put(t.Context(), "others/"+name, path, hex.EncodeToString(sum[:])); err != nil {
			t.Fatal(err)
		}
		files = append(files, path, "s3://"+bucket+"/others/"+name)
	}
	archive := filepath.Join(dir, "A")
	for i, file := range files {
		into := []string{"--archive", archive, "--collection", fmt.Sprint("c", i)}
		if code, said := inProcess(t, s3.Env(), append([]string{"import", "--in-place", file}, into...)...); code != exitOK || !strings.Contains(said, "4 captures of 7 records, indexed where it lies") {
			t.Fatalf("%s: exit %d: %s", file, code, said)
		}
		out := filepath.Join(dir, fmt.Sprint("out", i, ".warc.gz"))
		if code, said := inProcess(t, s3.Env(), append([]string{"export", "http://old.test/again", "-o", out}, into...)...); code != exitOK {
			t.Errorf("%s: exit %d: %s", file, code, said)
		}
		if code, said := inProcess(t, s3.Env(), "import", "--archive", archive, "--collection", fmt.Sprint("d", i), out); code != exitOK || !strings.Contains(said, "2 captures of") {
			t.Errorf("what was read of %s: exit %d: %s", file, code, said)
		}
	}
	if code, said := inProcess(t, s3.Env(), "verify", "--archive", archive); code != exitOK {
		t.Errorf("verify: exit %d: %s", code, said)
	}
}

// TestImportKilled kills an import at random moments and gives the same command again: what comes to its end is complete, the rows fit,
// and nothing is left over.
func TestImportKilled(t *testing.T) {
	t.Parallel()
	const captures = 3000
	var file bytes.Buffer
	for i := range captures {
		file.WriteString(foreignRecord("response", fmt.Sprintf("http://many.test/%d", i), fmt.Sprint(i), "2016-02-06T10:00:00Z", "", foreignPage(fmt.Sprint("page ", i, strings.Repeat(" and more", 40)))))
	}
	root := t.TempDir()
	path := filepath.Join(root, "many.warc")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(archive string, after time.Duration) (killed bool) {
		cmd := linkstead(t, "import", "--archive", archive, path)
		cmd.Env = append(os.Environ(), smallSegments[0])
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		err := cmd.Wait()
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() {
			return true
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, &said)
		}
		return false
	}
	begun := time.Now()
	run(filepath.Join(root, "whole"), never)
	whole := time.Since(begun)
	killed := 0
	for round := 0; round < 20 && killed < 5; round++ {
		archive := filepath.Join(root, fmt.Sprint(round))
		for range 3 {
			if !run(archive, time.Duration(rand.Int64N(int64(whole)))) {
				break
			}
			killed++
		}
		run(archive, never)
		code, said := inProcess(t, nil, "cdx", "--archive", archive, "*.many.test", "--limit", "10000")
		if n := strings.Count(said, "\n"); code != exitOK || n != captures {
			t.Errorf("exit %d, and %d of %d captures", code, n, captures)
		}
		if code, said := inProcess(t, nil, "verify", "--archive", archive); code != exitOK {
			t.Errorf("verify: exit %d: %s", code, said)
		}
		if left, _ := filepath.Glob(filepath.Join(archive, "spool", "*", "import-*")); len(left) > 0 {
			t.Errorf("%v is left", left)
		}
	}
	if killed == 0 {
		t.Error("no import could be killed")
	}
}

package warc

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand"
	"strings"
	"testing"
	"time"

	kgzip "github.com/klauspost/compress/gzip"

	"linkstead/storage"
)

// BenchmarkImportIndex indexes a WARC file of 4,000 pages in place and unpacks the same file with gunzip, turn by turn, by the library that
// reads segments. It reports the ratio of the two speeds: the target is 0.7.
func BenchmarkImportIndex(b *testing.B) {
	words := strings.Fields("the a of to in is that it was for on are as with his they at be this from have or by one had not but what all were when we there can an your which their said if do will each about how up out them then she many some so these would other into has more her two like him see time could no make than first been its who now people my made over did down only way find use may water long little very after words called just where most know")
	rnd := rand.New(rand.NewSource(1))
	var file bytes.Buffer
	for i := range 4000 {
		var page strings.Builder
		for range 1500 + rnd.Intn(3000) {
			page.WriteString(words[rnd.Intn(len(words))])
			page.WriteByte(' ')
		}
		z := gzip.NewWriter(&file)
		_, _ = io.WriteString(z, strings.Replace(wildRecord("WARC/1.0", fmt.Sprintf("http://a.test/%d", i), page.String(), "\r\n", 0), "Content-Type: application/http", "WARC-Payload-Digest: sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ\r\nContent-Type: application/http", 1))
		_ = z.Close()
	}
	data := file.Bytes()
	var index, unpack time.Duration
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		began := time.Now()
		z, err := kgzip.NewReader(bytes.NewReader(data))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, z); err != nil {
			b.Fatal(err)
		}
		unpack += time.Since(began)

		began = time.Now()
		n := 0
		m := importingOf(storage.Segment{ID: importedPrefix + "x"}, func(storage.Capture) error { n++; return nil })
		if err := m.all(bytes.NewReader(data), int64(len(data)), []Part{{Length: int64(len(data))}}, nil, nil); err != nil || n != 4000 {
			b.Fatal(n, err)
		}
		index += time.Since(began)
	}
	b.ReportMetric(float64(unpack)/float64(index), "of-gunzip")
}

package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
)

// foreignRecord is a record as another program writes it.
func foreignRecord(kind, url, id, date, extra, block string) string {
	return fmt.Sprintf("WARC/1.0\r\nWARC-Type: %s\r\nWARC-Target-URI: %s\r\nWARC-Date: %s\r\nWARC-Record-ID: <urn:uuid:%s>\r\n%sContent-Type: application/http; msgtype=%s\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n",
		kind, url, date, id, extra, kind, len(block), block)
}

// foreignPage is a response with a page.
func foreignPage(body string) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: " + fmt.Sprint(len(body)) + "\r\n\r\n" + body
}

// foreignRecords are what several programs would have written: a page, as wget names it, a revisit of it, a POST with its request behind it,
// a redirect, a DNS answer.
func foreignRecords() []string {
	const sha1 = "WARC-Payload-Digest: sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ\r\n"
	const first, second, third = "2016-02-06T10:00:00Z", "2016-03-06T10:00:00Z", "2016-02-06T10:00:01Z"
	info := "software: another/1.0\r\nformat: WARC File Format 1.0\r\n"
	return []string{
		fmt.Sprintf("WARC/1.0\r\nWARC-Type: warcinfo\r\nWARC-Date: %s\r\nWARC-Record-ID: <urn:uuid:0>\r\nContent-Type: application/warc-fields\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", first, len(info), info),
		foreignRecord("response", "<http://old.test/>", "1", first, sha1, foreignPage("<title>The old page</title><a href=/next>next</a>")),
		foreignRecord("revisit", "http://old.test/again", "2", second, sha1+"WARC-Profile: http://netpreserve.org/warc/1.0/revisit/identical-payload-digest\r\nWARC-Refers-To-Target-URI: http://old.test/\r\nWARC-Refers-To-Date: "+first+"\r\n",
			"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"),
		foreignRecord("response", "http://old.test/search", "3", third, "", foreignPage("the answer to a POST")),
		foreignRecord("request", "http://old.test/search", "4", third, "WARC-Concurrent-To: <urn:uuid:3>\r\n", "POST /search HTTP/1.1\r\nHost: old.test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5\r\n\r\nq=cat"),
		foreignRecord("response", "http://old.test/moved", "5", third, "", "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
		strings.Replace(foreignRecord("response", "dns:old.test", "6", third, "", "20160206100000\nold.test.\t60\tIN\tA\t127.0.0.1\n"), "application/http; msgtype=response", "text/dns", 1),
	}
}

// browsertrixPages is a list of pages as browsertrix writes it, and what others may do to one.
const browsertrixPages = `{"format":"json-pages-1.0","id":"pages","title":"Seed Pages","hasText":"false"}
{"id":"5c3e1b4a-0d0c-4a3f-9f63-3d2e0a0a0001","url":"http://btrix.test/","title":"The  seed\nof it","loadState":4,"mime":"text/html","seed":true,"status":200,"ts":"2024-05-01T10:00:02.345Z","isHTML":true,"depth":0}
{"id":"5c3e1b4a-0d0c-4a3f-9f63-3d2e0a0a0002","url":"http://btrix.test/failed","title":"","loadState":0,"seed":true,"ts":"2024-05-01T10:00:20.000Z"}
this is no JSON
{"id":7,"url":"chrome://newtab/","ts":12,"title":["x"]}
`

// browsertrixRecords are two pages as browsertrix captures them, with what it says of them behind each.
func browsertrixRecords() []string {
	page := func(url, id, date, title string) []string {
		info := fmt.Sprintf(`{"pageid":"5c3e1b4a-0d0c-4a3f-9f63-%s","urls":{"%s":{"status":200,"mime":"text/html","type":"document"}},"url":"%s","ts":"%s","counts":{"jsErrors":0},"tsStatus":200}`,
			id, url, url, strings.Replace(date, "Z", ".500Z", 1))
		told := strings.Replace(foreignRecord("resource", "urn:pageinfo:"+url, id+"-info", date, "", info), "application/http; msgtype=resource", "application/json", 1)
		return []string{
			foreignRecord("response", url, id, date, "", foreignPage("<title>"+title+"</title>")),
			foreignRecord("response", url+"style.css", id+"-css", date, "", "HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nContent-Length: 2\r\n\r\n{}"), told,
		}
	}
	return append(page("http://btrix.test/", "1", "2024-05-01T10:00:02Z", "The seed"), page("http://btrix.test/second", "2", "2024-05-01T10:00:09Z", "Second")...)
}

// cmdForeign writes a file as other programs write them: foreign KIND FILE.
func cmdForeign(ts *testscript.TestScript, _ bool, args []string) {
	records := foreignRecords()
	each := func(parts []string) []byte {
		var b bytes.Buffer
		for _, p := range parts {
			z := gzip.NewWriter(&b)
			_, _ = io.WriteString(z, p)
			_ = z.Close()
		}
		return b.Bytes()
	}
	var out []byte
	switch kind := args[0]; kind {
	case "plain":
		out = []byte(strings.Join(records, ""))
	case "gz":
		out = each(records)
	case "whole":
		out = each([]string{strings.Join(records, "")})
	case "torn":
		out = each(records)
		out = out[:len(out)-40]
	case "rotten":
		out = append([]byte("some rubbish\n"), each(records)...)
		at := 13 + len(each(records[:3])) + 60
		copy(out[at:], "rotten")
	case "arc":
		block := foreignPage("<title>An ARC page</title>")
		out = fmt.Appendf(nil, "filedesc://old.arc 0.0.0.0 20080430204825 text/plain 76\n1 0 InternetArchive\nURL IP-address Archive-date Content-type Archive-length\n\nhttp://arc.test/ 127.0.0.1 20080430204826 text/html %d\n%s\n", len(block), block)
	case "zst":
		var b bytes.Buffer
		z, err := zstd.NewWriter(&b)
		ts.Check(err)
		_, err = io.WriteString(z, strings.Join(records, ""))
		ts.Check(err)
		ts.Check(z.Close())
		out = b.Bytes()
	case "wacz", "wacz-packed":
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		method := zip.Store
		if kind == "wacz-packed" {
			method = zip.Deflate
		}
		for name, data := range map[string][]byte{"archive/data.warc.gz": each(records), "datapackage.json": []byte(`{"profile":"data-package"}`)} {
			w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
			ts.Check(err)
			_, err = w.Write(data)
			ts.Check(err)
		}
		ts.Check(z.Close())
		out = b.Bytes()
	case "browsertrix":
		out = each(browsertrixRecords())
	case "browsertrix-wacz", "browsertrix-packed":
		first, second, method := browsertrixRecords(), []string(nil), zip.Store
		if kind == "browsertrix-packed" {
			first, second, method = first[:3], first[3:], zip.Deflate
		}
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, f := range []struct {
			name   string
			method uint16
			data   []byte
		}{
			{"archive/rec-1.warc.gz", method, each(first)},
			{"archive/rec-2.warc.gz", method, each(second)},
			{"pages/pages.jsonl", zip.Deflate, []byte(browsertrixPages)},
			{"pages/extraPages.jsonl", zip.Deflate, []byte(`{"format":"json-pages-1.0","id":"extra","title":"Extra"}` + "\n" + `{"id":"x","url":"http://btrix.test/second","ts":"2024-05-01T10:00:09.000Z","title":"Second"}` + "\n")},
		} {
			if len(f.data) == 0 {
				continue
			}
			w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: f.method})
			ts.Check(err)
			_, err = w.Write(f.data)
			ts.Check(err)
		}
		ts.Check(z.Close())
		out = b.Bytes()
	default:
		ts.Fatalf("no such kind: %s", kind)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out, 0o644))
}

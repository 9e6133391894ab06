package urlkey

import (
	"strings"
	"testing"
	"unicode/utf8"
)

const formType = "application/x-www-form-urlencoded"

// TestRequestURL holds the form to what the guideline's examples and the indexers of others make of the same requests.
func TestRequestURL(t *testing.T) {
	const form = "foo=bar&dir=%2Fbaz"
	const parted = "--x\r\nContent-Disposition: form-data;name=\"ts\"\r\n\r\n17 1\r\n--x\r\n" +
		"Content-Disposition: form-data; name=\"post_0\"; filename=\"blob\"\r\nContent-Type: application/octet-stream\r\n\r\n\x9c\r\n--x--\r\n"
	for _, c := range []struct{ name, method, url, mime, body, want string }{
		{"a GET", "GET", "http://e.test/?a", formType, form, "http://e.test/?a"},
		{"no method", "", "http://e.test/", formType, form, "http://e.test/"},
		{"a form", "POST", "http://e.test/", formType, form, "http://e.test/?__wb_method=POST&foo=bar&dir=/baz"},
		{"behind a query", "POST", "http://e.test/?123=ABC", formType, form, "http://e.test/?123=ABC&__wb_method=POST&foo=bar&dir=/baz"},
		{"a query that ends in &", "POST", "http://e.test/?foo&", formType, "", "http://e.test/?foo&&__wb_method=POST"},
		{"with a charset", "put", "http://e.test/", formType + "; charset=UTF-8", form, "http://e.test/?__wb_method=PUT&foo=bar&dir=/baz"},
		{"what ends a query", "POST", "http://e.test/#f", formType, "a=%23+%25&b=%C3%A9%0a", "http://e.test/?__wb_method=POST&a=%23%20%25&b=%c3%a9%0a"},
		{"a form cut in an escape", "POST", "http://e.test/", formType, "dir=%2", "http://e.test/?__wb_method=POST&dir=%252"},
		{
			"a form that is none", "POST", "http://e.test/", formType, "\x816l`L\xa04P\x0e\xe0r\x02\xb5\x89\x19\x00fP\xdb\x0e\xb0\x02,",
			"http://e.test/?__wb_method=POST&__wb_post_data=gTZsYEygNFAO4HICtYkZAGZQ2w6wAiw=",
		},
		{"JSON", "POST", "http://e.test/", "application/json", `{"a": "b", "c": {"a": 2}, "d": "e"}`, "http://e.test/?__wb_method=POST&a=b&a.2_=2&d=e"},
		{
			"JSON with a list on top", "POST", "http://e.test/", "application/json",
			`[{"a": "b", "c": {"a": 2}}, {"d": "e"}, "ignored", false, null, 0]`, "http://e.test/?__wb_method=POST&a=b&a.2_=2&d=e",
		},
		{"lines of JSON", "POST", "http://e.test/", "application/json", "{\"a\": \"b\"}\n{\"c\": {\"a\": 2}, \"d\": \"e\"}\n", "http://e.test/?__wb_method=POST&a=b&a.2_=2&d=e"},
		{
			"JSON of all types", "POST", "http://e.test/events", "application/json",
			`{"type":"event","id":44.0,"values":[true,false,null],"source":{"type":"component","id":"a+b&c= d","values":[3,4]}}`,
			"http://e.test/events?__wb_method=POST&type=event&id=44.0&values=True&values.2_=False&values.3_=None&type.2_=component" +
				"&id.2_=a%2Bb%26c%3D+d&values.4_=3&values.5_=4",
		},
		{
			"numbers", "POST", "http://e.test/", "application/json", `{"n":[1e5,1.10,-0,1E16,1e-7,0.0001,12345678901234567890,1e999,-1e999,0e0]}`,
			"http://e.test/?__wb_method=POST&n=100000.0&n.2_=1.1&n.3_=0&n.4_=1e%2B16&n.5_=1e-07&n.6_=0.0001&n.7_=12345678901234567890" +
				"&n.8_=inf&n.9_=-inf&n.10_=0.0",
		},
		{"a name twice in an object", "POST", "http://e.test/", "application/json", `{"a":1,"b":2,"a":3}`, "http://e.test/?__wb_method=POST&a=3&b=2"},
		{"an empty object", "POST", "http://e.test/", "application/json", `{}`, "http://e.test/?__wb_method=POST"},
		{"JSON that names nothing", "POST", "http://e.test/", "application/json", `[1]`, "http://e.test/?__wb_method=POST&__wb_post_data=WzFd"},
		{"JSON that is none", "POST", "http://e.test/", "application/json", `{"a"`, "http://e.test/?__wb_method=POST&__wb_post_data=eyJhIg=="},
		{"JSON as text", "POST", "http://e.test/", "text/plain;charset=UTF-8", `{"a":"b"}`, "http://e.test/?__wb_method=POST&a=b"},
		{"text", "POST", "http://e.test/p?id=123", "text/plain", form, "http://e.test/p?id=123&__wb_method=POST&__wb_post_data=Zm9vPWJhciZkaXI9JTJGYmF6"},
		{"bytes", "POST", "http://e.test/chat", "", "hello", "http://e.test/chat?__wb_method=POST&__wb_post_data=aGVsbG8="},
		{"nothing at all", "POST", "http://e.test/", "", "", "http://e.test/?__wb_method=POST&__wb_post_data="},
		{"parts", "POST", "http://e.test/", "multipart/form-data; boundary=x", parted, "http://e.test/?__wb_method=POST&ts=17+1&post_0=%9C"},
		{"parts without a boundary", "POST", "http://e.test/", "multipart/form-data", form, "http://e.test/?__wb_method=POST&__wb_post_data=Zm9vPWJhciZkaXI9JTJGYmF6"},
		{"parts that break off", "POST", "http://e.test/", "multipart/form-data; boundary=x", "--x\r\n", "http://e.test/?__wb_method=POST&__wb_post_data=LS14DQo="},
		{"OPTIONS", "OPTIONS", "http://e.test/", "", "", "http://e.test/?__wb_method=OPTIONS"},
		{"HEAD", "HEAD", "http://e.test/", "", "", "http://e.test/?__wb_method=HEAD"},
		{"PATCH", "PATCH", "http://e.test/", formType, "a=b", "http://e.test/?__wb_method=PATCH&a=b"},
		{"keyed already", "POST", "http://e.test/?__wb_method=POST&a=b", formType, "a=b", "http://e.test/?__wb_method=POST&a=b"},
	} {
		if got := RequestURL(c.method, c.url, c.mime, []byte(c.body)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestRequestURLBounds: a long body is cut, and two that differ behind the cut are two still.
func TestRequestURLBounds(t *testing.T) {
	long := strings.Repeat("a=%C3%A9&", 4000)
	one := RequestURL("POST", "http://e.test/", formType, []byte(long+"b=1"))
	two := RequestURL("POST", "http://e.test/", formType, []byte(long+"b=2"))
	if len(one) > maxAdded+100 || !strings.Contains(one, "&"+digestField) || one == two || Key(one) == Key(two) {
		t.Errorf("%d and %d bytes: …%s and …%s", len(one), len(two), one[len(one)-60:], two[len(two)-60:])
	}
	huge := []byte(strings.Repeat("x", MaxBody+1))
	if RequestURL("POST", "http://e.test/", "", huge) != RequestURL("POST", "http://e.test/", "", huge[:MaxBody]) {
		t.Error("more than MaxBody counts")
	}
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	if got := RequestURL("POST", "http://e.test/", "application/json", []byte(deep)); !strings.Contains(got, bodyField) {
		t.Errorf("deep JSON becomes %.100s", got)
	}
}

// FuzzRequestURL: whatever is asked, what is keyed is a URL that stands for itself, and its key is one.
func FuzzRequestURL(f *testing.F) {
	f.Add("POST", "application/json", []byte(`{"a":[1,{"b":null}]}`))
	f.Add("POST", formType, []byte("a=%23%0a+&%"))
	f.Add("PUT", "multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--"))
	f.Add("P#ST", "text/plain", []byte("[[[["))
	f.Fuzz(func(t *testing.T, method, mime string, body []byte) {
		u := RequestURL(method, "http://e.test/a", mime, body)
		for i := range len(u) {
			if c := u[i]; c <= ' ' || c >= 0x7f || c == '#' {
				t.Fatalf("byte %#x in %q", c, u)
			}
		}
		if !utf8.ValidString(u) || len(u) > 2*maxAdded+len(method)*3 {
			t.Fatalf("%d bytes", len(u))
		}
		if strings.ToUpper(method) != "GET" && method != "" && RequestURL(method, u, mime, body) != u {
			t.Fatalf("%q is keyed twice", u)
		}
		if k := Key(u); Key(k) != k {
			t.Fatalf("key %q of %q", k, u)
		}
	})
}

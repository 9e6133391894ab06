package markup

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

func asScoped(dst *bytes.Buffer, src []byte, visit Visit) error {
	return JavaScriptWith(dst, src, ScriptOptions{Scope: true}, visit)
}

func scoped(t testing.TB, src string) string {
	t.Helper()
	var out bytes.Buffer
	if err := asScoped(&out, []byte(src), func(Ref) (string, bool) { return "", false }); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// scopeTable has scripts and what becomes of them; "" means that they stay as they are.
var scopeTable = []struct{ src, want string }{
	// Read.
	{"location", "__lsV(location)"},
	{"x=location.href", "x=__lsV(location).href"},
	{"if(top!=self)f(top)", "if(__lsV(top)!=self)f(__lsV(top))"},
	{"`${location}/${top}`", "`${__lsV(location)}/${__lsV(top)}`"},
	{"a?location:top", "a?__lsV(location):__lsV(top)"},
	{"x={location,a,top}", "x={location:__lsV(location),a,top:__lsV(top)}"},
	{"f({location})", "f({location:__lsV(location)})"},
	{"x={a:location}", "x={a:__lsV(location)}"},
	{"x={[location]:1}", "x={[__lsV(location)]:1}"},
	{"new top.Foo()", "new (__lsV(top)).Foo()"},
	{"(a,b)=>location", "(a,b)=>__lsV(location)"},
	{"(a=location)=>a", "(a=__lsV(location))=>a"},
	{"var {a=top}=x", "var {a=__lsV(top)}=x"},
	{"class A extends top.B{}", "class A extends __lsV(top).B{}"},
	{"class A{a=location;b=1}", "class A{a=__lsV(location);b=1}"},
	{"function f(){return a(),top}", "function f(){return a(),__lsV(top)}"},
	{"switch(top){case location:}", "switch(__lsV(top)){case __lsV(location):}"},
	{"for(x of location){}", "for(x of __lsV(location)){}"},
	{"'use strict'\nlocation", "'use strict'\n__lsV(location)"},
	{"#!/bin/node\nlocation", "#!/bin/node\n__lsV(location)"},
	{"<!-- location\nlocation\n--> location", "<!-- location\n__lsV(location)\n--> location"},
	{"var a\ntop.x=1", "var a\n__lsV(top).x=1"},
	{"export default location", "export default __lsV(location)"},
	{"!function(){}(top)", "!function(){}(__lsV(top))"},
	{"if(a)/re/.test(location)", "if(a)/re/.test(__lsV(location))"},
	{"{}/location/.test(top)", "{}/location/.test(__lsV(top))"},
	{"with(window){location}", "with(window){__lsV(location)}"},
	{"x={get a(){return top}}", "x={get a(){return __lsV(top)}}"},
	{"case_:{top}", "case_:{__lsV(top)}"},
	{"var location", ""}, {"var a, location, top;", ""}, {"let {location} = x", "let {location} = __lsO(x)"}, {"const [top,{location:a}]=x", ""},
	{"function top(location,top){}", ""}, {"(location)=>1", ""}, {"top=>1", ""}, {"async top=>1", ""}, {"async(a,{location})=>1", ""},
	{"({location}=x)", "({location}=__lsO(x))"}, {"[top]=x", ""}, {"try{}catch(top){}", ""}, {"class top{}", ""}, {"x=class location{}", ""},
	{"top:for(;;){break top;continue top}", ""}, {"({location:1,top(){},get location(){},async top(){}})", ""},
	{"class A{location=1;static top;top(){}static location(){}get top(){}}", ""},
	{"typeof location", ""}, {"typeof(location)", ""}, {"for(top in x);", ""}, {"for(const location of x);", ""},
	{"import top,{location as l}from'x';import*as location from'y'", ""}, {"export{location,top as t}", ""},
	{"'location'+/top/+`top`//top\n/*location*/", ""}, {"function f(...top){}", ""}, {"function*top(){}", ""}, {"x.a.#top", ""},
	{"stop(desktop,location_,$top)", ""}, {"let\nlocation", ""}, {"f=function(a,{b:[top]},c){}", ""}, {"location", "__lsV(location)"},

	// Assigned to.
	{"location='/x'", "__lsT(location,v=>location=v).v='/x'"},
	{"location+='x'", "__lsT(location,v=>location=v).v+='x'"},
	{"a&&(location=b)", "a&&(__lsT(location,v=>location=v).v=b)"},
	{"()=>location=1", "()=>__lsT(location,v=>location=v).v=1"},
	{"top=1", ""}, {"top++", ""}, {"--location", ""}, {"var location=1,top=2", ""}, {"({location=1}=x)", "({location=1}=__lsO(x))"}, {"(top=1)=>0", ""},

	// Properties.
	{"window.location.href", "__lsO(window).location.href"},
	{"window.location='x'", "__lsO(window).location='x'"},
	{"a.b[c](d).location", "__lsO(a.b[c](d)).location"},
	{"top.location=self.location", "__lsO(__lsV(top)).location=__lsO(self).location"},
	{"this.top!==this", "__lsO(this).top!==this"},
	{"a?.location", "__lsO(a)?.location"},
	{"a?.b.location.href", "__lsO(a?.b)?.location.href"},
	{"a?.b['location']", "__lsO(a?.b)?.['location']"},
	{"a?.['top']", "__lsO(a)?.['top']"},
	{"window['location']", "__lsO(window)['location']"},
	{"x=['location']", ""}, {"return_=1;['top']", ""}, {"case_=a.location_", ""},
	{"return(a).location", "return __lsO((a)).location"},
	{"if(a)(b).location=1", "if(a)__lsO((b)).location=1"},
	{"a\n(b).location", "__lsO(a\n(b)).location"},
	{"new Foo(1).location", "__lsO(new Foo(1)).location"},
	{"new a.top.B()", "new (__lsO(a)).top.B()"},
	{"new(a.top)", "new(__lsO(a).top)"},
	{"of(x).location", "__lsO(of(x)).location"},
	{"for(a of(x).location);", "for(a of __lsO((x)).location);"},
	{"await(x).location", "await __lsO((x)).location"},
	{"a.return(x).location", "__lsO(a.return(x)).location"},
	{"a.location(1)", "__lsO(a).location(1)"},
	{"w.postMessage(m,'*')", "__lsO(w).postMessage(m,'*')"},
	{"window.eval(x)", "__lsO(window).eval(x)"},
	{"document.location.top.location", "__lsO(__lsO(__lsO(document).location).top).location"},
	{"a[location.b]", "a[__lsV(location).b]"},
	{"[a.location]=x", "[__lsO(a).location]=x"},
	{"e.style.top=1", ""}, {"e.style.top", ""}, {"x.top=1", ""}, {"x.top+=1", ""}, {"super_.x", ""}, {"1..top", ""}, {"`a`.top", ""},
	{"class A extends B{m(){return super.location}}", ""}, {"}\n(b).location", ""},

	{"var {location:l,top}=window,a", "var {location:l,top}=__lsO(window),a"},
	{"let {a,top}=this\nf()", "let {a,top}=__lsO(this)\nf()"},
	{"({location}={})=>{}", ""}, {"var {a:{top}}=window", ""}, {"({location}=a.b)", ""}, {"var {location}=a(b)", ""}, {"var {top}=a||b", ""},
	{"function f({location}=window){}", "function f({location}=__lsO(window)){}"},

	// What is run or imported.
	{"eval(x)", "eval(__lsE(x))"},
	{"eval('('+x+')')", "eval(__lsE('('+x+')'))"},
	{"(0,eval)(x)", "(0,__lsV(eval))(x)"},
	{"var e=eval", "var e=__lsV(eval)"},
	{"eval(location)", "eval(__lsE(__lsV(location)))"},
	{"eval()", ""}, {"x={eval(a){}}", ""},
	{"import(a+b)", "import(__lsI(a+b))"},
	{"import(top,b)", "import(__lsI(__lsV(top)),b)"},
	{"import.meta.url", "__lsU(import.meta.url)"},
	{"new URL('a',import.meta.url);import(x)", "new URL('a',__lsU(import.meta.url));import(__lsI(x,import.meta.url))"},
	{"import('./x')", ""}, {"import('react')", ""}, {"x.import(y)", ""}, {"x={import(y){}}", ""},

	// Faults.
	{"location;\"", ""}, {"location(", ""}, {"location)", ""}, {"location/*", ""},
}

func TestScope(t *testing.T) {
	for _, c := range scopeTable {
		want := c.want
		if want == "" {
			want = c.src
		}
		got := scoped(t, c.src)
		if got != want {
			t.Errorf("%s\nbecame\n%s\nwant\n%s", c.src, got, want)
		}
		if again := scoped(t, got); again != got {
			t.Errorf("%s\nbecame\n%s\nand then\n%s", c.src, got, again)
		}
	}
}

// parses says whether tdewolff's parser, which shares the lexer with us but no more, takes a script for one.
func parses(src string) bool {
	_, err := js.Parse(parse.NewInputString(src), js.Options{})
	return err == nil
}

// TestScopeParses reads what became of the table by a parser.
func TestScopeParses(t *testing.T) {
	n := 0
	for _, c := range scopeTable {
		if !parses(c.src) {
			continue
		}
		n++
		if got := scoped(t, c.src); !parses(got) {
			t.Errorf("%s\nbecame\n%s\nwhich is no script", c.src, got)
		}
	}
	if n < len(scopeTable)*3/4 {
		t.Errorf("of %d scripts of the table, only %d are scripts", len(scopeTable), n)
	}
}

// libraries is where Debian's packages put the scripts of their pages.
const libraries = "/usr/share/javascript"

// TestScopeLibraries scopes scripts from real life.
func TestScopeLibraries(t *testing.T) {
	n, changed := 0, 0
	for _, dir := range []string{libraries, docs, "testdata"} {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".js" {
				return nil //nolint:nilerr // what isn't there isn't tried
			}
			src, err := os.ReadFile(path)
			if err != nil || !parses(string(src)) {
				return nil //nolint:nilerr // a dangling link, or no script
			}
			n++
			got := scoped(t, string(src))
			if got != string(src) {
				changed++
			}
			if !parses(got) {
				t.Errorf("%s is no script any more", path)
			}
			if again := scoped(t, got); again != got {
				t.Errorf("%s changes again", path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d scripts, %d changed", n, changed)
	if n == 0 || changed == 0 {
		t.Errorf("%d scripts, %d changed", n, changed)
	}
}

// FuzzScope holds that a script without the names stays as it is, and that what has been scoped is not scoped again.
// Whether a script stays one is not asked of what the fuzzer makes: the parser takes much for a script that is none.
func FuzzScope(f *testing.F) {
	for _, c := range scopeTable {
		f.Add([]byte(c.src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		got := scoped(t, string(src))
		if !hasScopeNames(src) && got != string(src) {
			t.Fatalf("%q became %q", src, got)
		}
		if again := scoped(t, got); again != got {
			t.Fatalf("%q became\n%q and then\n%q", src, got, again)
		}
	})
}

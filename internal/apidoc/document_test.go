package apidoc

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func TestLoad(t *testing.T) {
	files := fstest.MapFS{
		"d/head.yaml": {Data: []byte("# comment\na: {x: &n 1.50}\nb: [*n, <&>]\nx-parts: [more.yaml]\n")},
		"d/more.yaml": {Data: []byte("a: {y: [true, null, '2026-01-02']}\nc: end\n")},
	}
	d, err := Load(files, "d/head.yaml", "")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(strings.Fields(string(d.JSON)), ""), `{"a":{"x":1.50,"y":[true,null,"2026-01-02"]},"b":[1.50,"<&>"],"c":"end"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := string(d.YAML), "a: {x: 1.50, y: [true, null, '2026-01-02']}\nb: [1.50, <&>]\nc: end\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLoadErrors(t *testing.T) {
	for text, want := range map[string]string{
		"a: 1\nx-parts: [other.yaml]": "/a is defined twice",
		"x-parts: [none.yaml]":        "none.yaml",
		"a: 2026-01-02":               "quote it",
		"a: {b, c: 1}":                "quote it",
		"a: .inf":                     "quote it",
		"a: 0x10":                     "quote it",
		"- 1":                         "want a mapping",
		"":                            "want a mapping",
		"a: [":                        "head.yaml",
	} {
		files := fstest.MapFS{"head.yaml": {Data: []byte(text)}, "other.yaml": {Data: []byte("a: 2")}}
		if _, err := Load(files, "head.yaml", ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestProse(t *testing.T) {
	got := prose("One `a` and\n\n`b` two.\n")
	if len(got) != 2 || len(got[0]) != 3 || got[0][1] != (Span{"a", true}) || got[1][0] != (Span{"b", true}) || got[1][1] != (Span{" two.", false}) {
		t.Errorf("%+v", got)
	}
	if prose(" ") != nil {
		t.Error("an empty text has a paragraph")
	}
}

// TestNoFractionalMultiples: validators compute in binary, in which 231.07 isn't a multiple of 0.01.
func TestNoFractionalMultiples(t *testing.T) {
	for _, name := range []string{"docs/api/openapi.yaml", "docs/api/asyncapi.yaml"} {
		doc, err := Load(os.DirFS("../.."), name, "")
		if err != nil {
			t.Fatal(err)
		}
		if found := regexp.MustCompile(`"multipleOf":\s*\d*\.\d+`).Find(doc.JSON); found != nil {
			t.Errorf("%s: %s rejects valid prices", name, found)
		}
	}
}

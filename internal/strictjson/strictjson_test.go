package strictjson

import (
	"strings"
	"testing"
)

func TestMembers(t *testing.T) {
	m, err := Members([]byte(` {"a":1,"A":{"a":2,"a":3},"":null} `))
	if err != nil || len(m) != 3 || string(m["a"]) != "1" || string(m["A"]) != `{"a":2,"a":3}` || string(m[""]) != "null" {
		t.Errorf("%s, %v", m, err)
	}
	for text, want := range map[string]string{
		`{"a":1,"a":1}`: "a: given twice", `{"a":1,"\u0061":1}`: "a: given twice", `{"a":1}x`: "not a JSON object", `[]`: "not a JSON object", `null`: "not a JSON object",
		``: "not a JSON object", `{"a":1`: "not a JSON object", "{\"a\xff\":1}": "not a JSON object",
	} {
		if _, err := Members([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", text, err, want)
		}
	}
}

func TestCheckMembers(t *testing.T) {
	for text, want := range map[string]string{
		`{"read":1,"_note":2}`: "", `{`: "", `{}`: "",
		`{"Read":1}`: "Read: unknown member; did you mean read?", `{"x":1}`: "x: unknown member; want read, write", `{"read":1,"read":1}`: "read: given twice",
	} {
		err := CheckMembers([]byte(text), "read", "write")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", text, err, want)
		}
	}
}

package auth

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func parse(t *testing.T, text string) Rights {
	t.Helper()
	r, err := ParseRights([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRights(t *testing.T) {
	r := parse(t, `[{"read":["AAPL","sector:energy"],"streams":2},{"read":["*"],"delay":"15m","may":["reports"],"requests":0.5},
		{"write":["sector:energy"],"streams":5}]`)
	for _, c := range []struct {
		topic, sector string
		delay         time.Duration
	}{
		{"AAPL", "technology", 0}, {"MSFT", "technology", 15 * time.Minute}, {"XOM", "energy", 0}, {"sector:energy", "", 0},
		{"sector:technology", "", 15 * time.Minute}, {"*", "", 15 * time.Minute},
	} {
		if d, ok := r.DelayOf(c.topic, c.sector); !ok || d != c.delay {
			t.Errorf("delay of %s: %v, %t; want %v", c.topic, d, ok, c.delay)
		}
	}
	if !r.CanWrite("XOM", "energy") || r.CanWrite("AAPL", "technology") {
		t.Error("write: want the sector energy alone")
	}
	if !r.May(Reports) || r.May(Lab) || r.May(Admin) || r.Streams() != 5 || r.Requests() != 0.5 {
		t.Errorf("other rights: %+v", r)
	}
}

func TestRightsCover(t *testing.T) {
	r := parse(t, `[{"read":["AAPL","sector:energy"]},{"read":["AAPL"]}]`)
	for topic, want := range map[string]bool{"AAPL": true, "MSFT": false, "sector:energy": true, "sector:technology": false, "*": false, "energy": false} {
		if r.CanRead(topic, "") != want {
			t.Errorf("%s: want %t", topic, want)
		}
	}
	if got := r.Readable(); !slices.Equal(got, []string{"AAPL", "sector:energy"}) {
		t.Errorf("readable: %v", got)
	}
	if none := (&Rights{}); none.CanRead("*", "") || none.CanRead("AAPL", "energy") || none.May(Lab) || none.WritesAny() || none.Readable() != nil {
		t.Error("no rights: want nothing allowed")
	}
	if all := Unrestricted.Rights; !all.ReadsAll() || !all.CanWrite("X", "y") || !all.May(Lab) {
		t.Error("unrestricted: want everything allowed")
	}
}

func TestRightsRefused(t *testing.T) {
	for text, want := range map[string]string{
		``: "JSON list", `null`: "JSON list", `{}`: "JSON list", `"*"`: "JSON list", `[null]`: "object", `[1]`: "entry 1",
		`[{"read":["*"]},{"reed":["*"]}]`:       "entry 2",
		`[{"Read":["*"]}]`:                      "Read: unknown member; did you mean read?",
		`[{"read":[],"read":["*"]}]`:            "read: given twice",
		`[{"read":["*"],"READ":[]}]`:            "READ",
		`[{"_read":["*"]}]`:                     "_read",
		`[{"read":"*"}]`:                        "read: want a list of texts, got string",
		`[{"read":[1]}]`:                        "read: want a list of texts, got number",
		`[{"streams":1.5}]`:                     "streams: want a whole number",
		`[{"read":["a b"]}]`:                    "a b",
		`[{"read":["sector:"]}]`:                "sector:",
		`[{"write":[""]}]`:                      "write",
		`[{"delay":"-1s"}]`:                     "delay",
		`[{"delay":"15"}]`:                      "delay",
		`[{"may":["root"]}]`:                    "root",
		`[{"streams":-1}]`:                      "streams",
		`[{"requests":-1}]`:                     "requests",
		`[{"read":["*"]}] x`:                    "JSON list",
		"[" + strings.Repeat("{},", 64) + "{}]": "at most 64",
	} {
		if _, err := ParseRights([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want an error with %q", text, err, want)
		}
	}
}

func FuzzRights(f *testing.F) {
	f.Add([]byte(`[{"read":["AAPL","sector:energy","*"],"delay":"15m","write":["*"],"may":["lab","admin"],"streams":5,"requests":50}]`))
	f.Add([]byte(`[{"Read":["AAPL"],"read":null}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ParseRights(text)
		if err != nil {
			return
		}
		for _, topic := range r.Readable() {
			if !r.CanRead(topic, "") || !validTopic(topic) {
				t.Fatalf("%q is readable and can't be read", topic)
			}
		}
		written, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseRights(written)
		if twice, _ := json.Marshal(again); err != nil || !bytes.Equal(written, twice) {
			t.Fatalf("written as %s, then as %s, %v", written, twice, err)
		}
		if r.Streams() < 0 || !(r.Requests() >= 0) {
			t.Fatal("negative limits")
		}
	})
}

// TestDocumentedRights parses the example of docs/access.md.
func TestDocumentedRights(t *testing.T) {
	doc, err := os.ReadFile("../../docs/access.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(doc), "```json\n")
	text, _, _ = strings.Cut(text, "```")
	if r := parse(t, text); !found || r.Streams() != 5 || !r.CanWrite("BTCUSDT", "crypto") {
		t.Errorf("%s: %+v", text, r)
	}
	for _, a := range actions {
		if !strings.Contains(string(doc), "`"+string(a)+"`") {
			t.Errorf("docs/access.md lacks the action %s", a)
		}
	}
}

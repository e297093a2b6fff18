package ingest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"ticklane/internal/quote"
)

// FuzzScan compares the scanner with encoding/json: it accepts the same objects, except for members that are repeated or unknown, and
// finds the same values.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		`{"T":"q","S":"EURUSD","bp":1.08345,"ap":1.08347,"n":3}`, `{}`, ` { "T" : null } `, `{"c":["@","\"]"],"session":{"zone":"}"}}`, `{"p":-0.5e+7,"v":0}`,
		`{"\u0070":1,"_x":tru}`, `{"T":"\ud800","S":"é\\","x":"\x"}`, "{\"S\":\"\xff\"}", `{"p":01}`, `{"p":1.}`, `{"p":-}`, `{"T":"q"}x`, `{"T":"q",}`, `{"negative":true}`, "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var o object
		fault := o.scan(text)
		valid := json.Valid(text) && bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{"))
		if valid != (fault != notJSON) && fault == nil || fault == notJSON && valid {
			t.Fatalf("%q: %v, valid %v", text, fault, valid)
		}
		if fault != nil {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		for name, raw := range want {
			m, known := memberOf([]byte(name))
			switch {
			case !known && strings.HasPrefix(name, "_"):
				continue
			case !known:
				t.Fatalf("%q: %q was accepted", text, name)
			case o.set.has(m) == (string(raw) == "null") || !o.seen.has(m) || o.set.has(m) && string(o.values[m].raw) != string(raw):
				t.Fatalf("%q: %s is %q, want %q", text, name, o.values[m].raw, raw)
			}
			var s string
			if got, ok := o.text(m); o.set.has(m) && ok && utf8.Valid(raw) { // encoding/json replaces other bytes
				if err := json.Unmarshal(raw, &s); err != nil || string(got) != s {
					t.Fatalf("%q: %s is %q, want %q: %v", text, name, got, s, err)
				}
			}
		}
	})
}

// FuzzUnits compares numbers with quote.ParsePrice.
func FuzzUnits(f *testing.F) {
	for _, seed := range []string{"1.08345", "-40.32", "0", "-0", "9007199254740991", "9007199254740992", "90071992547409.91", "1e3", "1.50", "0.00000000000000000001", "123456789012345678"} {
		f.Add(seed, uint8(2))
	}
	f.Fuzz(func(t *testing.T, text string, decimals uint8) {
		decimals %= quote.MaxDecimals + 1
		s := scanner{b: []byte(text)}
		if text == "" || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
			return
		}
		if v, ok := s.number(); !ok || len(v.raw) != len(text) {
			return
		}
		want, err := quote.ParsePrice(text, decimals)
		in := &quote.Instrument{Symbol: "A", Decimals: decimals, SizeDecimals: decimals, Negative: true}
		got, err2 := price(in, []byte(text))
		if got != want || (err == nil) != (err2 == nil) {
			t.Fatalf("%s with %d decimals: %d, %v, want %d, %v", text, decimals, got, err2, want, err)
		}
		if n, err := size(in, []byte(text)); want >= 0 && err2 == nil && (err != nil || int64(n) != int64(want)) || want < 0 && err == nil {
			t.Fatalf("size %s with %d decimals: %d, %v", text, decimals, n, err)
		}
		if n, err := integer([]byte(text)); err == nil && text != string(quote.AppendDecimal(nil, uint64(n))) {
			t.Fatalf("integer %s: %d", text, n)
		}
	})
}

// FuzzLine: no line makes the parser panic, and no invalid one changes a quote.
func FuzzLine(f *testing.F) {
	for line := range strings.Lines(instruments + `{"T":"q","S":"ACME","bp":1.5,"ap":2,"n":7}` + "\n" + `{"T":"trade","S":"BTC/USD","p":1,"s":0.0001,"id":"","c":[]}` + "\n") {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.ContainsRune(text, '\n') {
			return
		}
		feed := newFeed(t, Options{})
		feed.send("", instruments)
		r := feed.send("fuzz", string(text))
		if n := r.Accepted + r.Rejected; n > 1 || n == 0 && !blank(text) || len(feed.ticks) > int(r.Accepted) {
			t.Fatalf("%q: %+v, %d ticks", text, r, len(feed.ticks))
		}
		if len(r.Errors) > 0 && strings.ContainsFunc(r.Errors[0].Reason, unicode.IsControl) {
			t.Fatalf("%q: the reason has control characters: %q", text, r.Errors[0].Reason)
		}
	})
}

package client

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

const goldenTick = `{"T":"q","S":"AAPL","bp":184.26,"bs":300,"ap":184.28,"as":200,"p":184.27,"v":120034,"t":1767225600000123,"n":17,"i":482913}`

func TestParseTick(t *testing.T) {
	for _, c := range []struct {
		text string
		want Tick
	}{
		{goldenTick, Tick{[]byte("AAPL"), 1767225600000123, 17, 482913}},
		{`{"T":"q","i":1,"n":2,"t":3,"S":"T"}`, Tick{[]byte("T"), 3, 2, 1}},
		{`{"T":"q","S":"i","t":3,"n":2,"i":9999999999999999999}`, Tick{[]byte("i"), 3, 2, 9999999999999999999}},
		{`{"T":"q","S":"BRK.B","o":1.00,"h":2.00,"t":1,"n":1,"i":1,"later":"x"}`, Tick{[]byte("BRK.B"), 1, 1, 1}},
	} {
		var got Tick
		if !bytes.HasPrefix([]byte(c.text), tickPrefix) || !got.parseJSON([]byte(c.text)) {
			t.Errorf("%s: not parsed", c.text)
		} else if !bytes.Equal(got.Symbol, c.want.Symbol) || got.Due != c.want.Due || got.N != c.want.N || got.Seq != c.want.Seq {
			t.Errorf("%s: got %s %d %d %d", c.text, got.Symbol, got.Due, got.N, got.Seq)
		}
	}
}

func TestParseTickRejects(t *testing.T) {
	for _, text := range []string{
		``, `{"T":"q",`, `{"T":"q","S":"A","t":1,"n":1}`, `{"T":"q","S":"A","t":1,"i":1}`, `{"T":"q","S":"A","n":1,"i":1}`,
		`{"T":"q","t":1,"n":1,"i":1}`, `{"T":"q","S":"","t":1,"n":1,"i":1}`, `{"T":"q","S":"A`, `{"T":"q","S":1,"t":1,"n":1,"i":1}`,
		`{"T":"q","S":"A","t":-1,"n":1,"i":1}`, `{"T":"q","S":"A","t":1,"n":"1","i":1}`, `{"T":"q","S":"A","t":1,"n":1,"i":99999999999999999999}`,
	} {
		var got Tick
		if got.parseJSON([]byte(text)) {
			t.Errorf("%q was parsed as %+v", text, got)
		}
	}
}

// TestParsesWhatTheServerWrites compares the parser with the server's encoder.
func TestParsesWhatTheServerWrites(t *testing.T) {
	q := quote.Tick{Bid: 18426, BidSize: 300, Ask: 18428, AskSize: 200, Last: 18427, Volume: 120034, Due: 1767225600000123, N: 17, Seq: 482913}
	text := wire.AppendQuote(nil, "AAPL", &q)
	if string(text) != goldenTick {
		t.Fatalf("the encoder wrote %s", text)
	}
	snap := wire.Snapshot{At: quote.Position{Epoch: 1, Seq: 9}, Quotes: []wire.DayQuote{{Symbol: "AAPL", Tick: &q}, {Symbol: "T", Tick: &q}}}
	var names []string
	head, ok := parseSnapshot(snap.Message().JSON(), func(t *Tick) { names = append(names, string(t.Symbol)) })
	if !ok || head != (snapshotHead{seq: 9}) || len(names) != 2 || names[0] != "AAPL" || names[1] != "T" {
		t.Errorf("snapshot: %+v %v %v", head, ok, names)
	}
}

func FuzzParseTick(f *testing.F) {
	f.Add(goldenTick)
	f.Add(`{"T":"q","S":"i","t":3,"n":2,"i":1}`)
	f.Add(`{"T":"q","S":"`)
	f.Fuzz(func(t *testing.T, text string) {
		var got Tick
		if !got.parseJSON([]byte(text)) {
			return
		}
		// Both parsers must agree.
		var other Tick
		if (&Tick{}).parseOrdered([]byte(text)) && (!other.parseUnordered([]byte(text)) || !reflect.DeepEqual(other, got)) && bytes.Count([]byte(text), dueKey) == 1 {
			t.Errorf("%q: %+v in any order, %+v in Ticklane's", text, other, got)
		}
		if len(got.Symbol) == 0 || !bytes.Contains([]byte(text), got.Symbol) {
			t.Errorf("%q: symbol %q", text, got.Symbol)
		}
		// For a flat object in which each name occurs once, encoding/json must agree.
		var m map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &m) != nil || bytes.ContainsAny([]byte(text[1:]), `{[\`) || bytes.Count([]byte(text), []byte(`":`)) != len(m) {
			return
		}
		for name, v := range map[string]uint64{"n": got.N, "i": got.Seq, "t": uint64(got.Due)} {
			if want, err := strconv.ParseUint(string(m[name]), 10, 64); err == nil && want != v {
				t.Errorf("%q: %s is %d, parsed as %d", text, name, want, v)
			}
		}
	})
}

func TestIDMatches(t *testing.T) {
	for _, c := range []struct {
		id  string
		seq uint64
		ok  bool
	}{
		{"9f3c1a-482913", 482913, true}, {"1-0", 0, true}, {"1-10", 10, true}, {"1-10", 0, false}, {"1-482913", 82913, false},
		{"482913", 482913, false}, {"", 1, false}, {"1-4829130", 482913, false}, {"1-18446744073709551615", 1<<64 - 1, true},
	} {
		if got := idMatches([]byte(c.id), c.seq); got != c.ok {
			t.Errorf("%q, %d: %v", c.id, c.seq, got)
		}
	}
}

func TestParseTickAllocatesNothing(t *testing.T) {
	text := []byte(goldenTick)
	var got Tick
	if n := testing.AllocsPerRun(100, func() { got.parseJSON(text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParseTick(b *testing.B) {
	text := []byte(goldenTick)
	var got Tick
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		got.parseJSON(text)
	}
}

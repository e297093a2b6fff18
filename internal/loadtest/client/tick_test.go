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
		{goldenTick, Tick{Symbol: []byte("AAPL"), Due: 1767225600000123, N: 17, Seq: 482913}},
		{`{"T":"q","i":1,"n":2,"t":3,"S":"T"}`, Tick{Symbol: []byte("T"), Due: 3, N: 2, Seq: 1}},
		{`{"T":"q","S":"i","t":3,"n":2,"i":9999999999999999999}`, Tick{Symbol: []byte("i"), Due: 3, N: 2, Seq: 9999999999999999999}},
		{`{"T":"q","S":"BRK.B","o":1.00,"h":2.00,"t":1,"n":1,"i":1,"later":"x"}`, Tick{Symbol: []byte("BRK.B"), Due: 1, N: 1, Seq: 1}},
		{`{"T":"q","S":"tnt:t","bp":-0.00012,"bs":0.5,"t":7,"r":9,"n":1,"i":2}`, Tick{Symbol: []byte("tnt:t"), Due: 7, Received: 9, N: 1, Seq: 2}},
		{`{"T":"q","r":9,"n":1,"t":7,"i":2,"S":"r"}`, Tick{Symbol: []byte("r"), Due: 7, Received: 9, N: 1, Seq: 2}},
	} {
		var got Tick
		if !bytes.HasPrefix([]byte(c.text), tickPrefix) || !got.parseJSON([]byte(c.text)) {
			t.Errorf("%s: not parsed", c.text)
		} else if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %s %+v", c.text, got.Symbol, got)
		}
	}
}

func TestParseTickRejects(t *testing.T) {
	for _, text := range []string{
		``, `{"T":"q",`, `{"T":"q","S":"A","t":1,"n":1}`, `{"T":"q","S":"A","t":1,"i":1}`, `{"T":"q","S":"A","n":1,"i":1}`,
		`{"T":"q","t":1,"n":1,"i":1}`, `{"T":"q","S":"","t":1,"n":1,"i":1}`, `{"T":"q","S":"A`, `{"T":"q","S":1,"t":1,"n":1,"i":1}`,
		`{"T":"q","S":"A","t":1,"r":,"n":1,"i":1}`, `{"T":"q","S":"A","t":-1,"n":1,"i":1}`, `{"T":"q","S":"A","t":1,"n":"1","i":1}`, `{"T":"q","S":"A","t":1,"n":1,"i":99999999999999999999}`,
	} {
		var got Tick
		if got.parseJSON([]byte(text)) {
			t.Errorf("%q was parsed as %+v", text, got)
		}
	}
}

// TestParsesWhatTheServerWrites compares the parser with the server's encoder.
func TestParsesWhatTheServerWrites(t *testing.T) {
	aapl := &quote.Instrument{Symbol: "AAPL", Decimals: 2}
	q := quote.Tick{Bid: 18426, BidSize: 300, Ask: 18428, AskSize: 200, Last: 18427, Volume: 120034, Due: 1767225600000123, N: 17, Seq: 482913}
	text := wire.AppendQuote(nil, aapl, &q)
	if string(text) != goldenTick {
		t.Fatalf("the encoder wrote %s", text)
	}
	snap := wire.Snapshot{At: quote.Position{Epoch: 1, Seq: 9}, Quotes: []wire.DayQuote{{Instrument: aapl, Tick: &q}, {Instrument: &quote.Instrument{Symbol: "T"}, Tick: &q}}}
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
		if (&Tick{}).parseOrdered([]byte(text)) && (!other.parseUnordered([]byte(text)) || !reflect.DeepEqual(other, got)) && bytes.Count([]byte(text), dueKey) == 1 && !bytes.Contains([]byte(text), []byte(`"r":`)) {
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

package loadtest

import (
	"bytes"
	"encoding/json"
	"strconv"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

const goldenTick = `{"T":"q","S":"AAPL","bp":184.26,"bs":300,"ap":184.28,"as":200,"p":184.27,"v":120034,"t":1767225600000123,"n":17,"i":482913}`

func TestScanTick(t *testing.T) {
	for _, c := range []struct {
		text string
		want tick
	}{
		{goldenTick, tick{[]byte("AAPL"), 1767225600000123, 17, 482913}},
		{`{"T":"q","i":1,"n":2,"t":3,"S":"T"}`, tick{[]byte("T"), 3, 2, 1}},
		{`{"T":"q","S":"i","t":3,"n":2,"i":9999999999999999999}`, tick{[]byte("i"), 3, 2, 9999999999999999999}},
		{`{"T":"q","S":"BRK.B","o":1.00,"h":2.00,"t":1,"n":1,"i":1,"later":"x"}`, tick{[]byte("BRK.B"), 1, 1, 1}},
	} {
		var got tick
		if !isTick([]byte(c.text)) || !got.scan([]byte(c.text)) {
			t.Errorf("%s: not read", c.text)
		} else if !bytes.Equal(got.symbol, c.want.symbol) || got.due != c.want.due || got.n != c.want.n || got.i != c.want.i {
			t.Errorf("%s: got %s %d %d %d", c.text, got.symbol, got.due, got.n, got.i)
		}
	}
}

func TestScanTickRefuses(t *testing.T) {
	for _, text := range []string{
		``, `{"T":"q",`, `{"T":"q","S":"A","t":1,"n":1}`, `{"T":"q","S":"A","t":1,"i":1}`, `{"T":"q","S":"A","n":1,"i":1}`,
		`{"T":"q","t":1,"n":1,"i":1}`, `{"T":"q","S":"","t":1,"n":1,"i":1}`, `{"T":"q","S":"A`, `{"T":"q","S":1,"t":1,"n":1,"i":1}`,
		`{"T":"q","S":"A","t":-1,"n":1,"i":1}`, `{"T":"q","S":"A","t":1,"n":"1","i":1}`, `{"T":"q","S":"A","t":1,"n":1,"i":99999999999999999999}`,
	} {
		var got tick
		if got.scan([]byte(text)) {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}

// TestScanReadsWhatTheServerWrites holds the scanner to the one encoder.
func TestScanReadsWhatTheServerWrites(t *testing.T) {
	q := quote.Tick{Bid: 18426, BidSize: 300, Ask: 18428, AskSize: 200, Last: 18427, Volume: 120034, Due: 1767225600000123, N: 17, Seq: 482913}
	text := wire.AppendQuote(nil, "AAPL", &q)
	if string(text) != goldenTick {
		t.Fatalf("the encoder writes %s", text)
	}
	snap := wire.Snapshot{At: quote.Position{Epoch: 1, Seq: 9}, Quotes: []wire.DayQuote{{Ticker: "AAPL", Tick: &q}, {Ticker: "T", Tick: &q}}}
	var names []string
	i, ok := scanSnapshot(snap.Message().JSON(), func(t *tick) { names = append(names, string(t.symbol)) })
	if !ok || i != 9 || len(names) != 2 || names[0] != "AAPL" || names[1] != "T" {
		t.Errorf("snapshot: %d %v %v", i, ok, names)
	}
}

func FuzzScanTick(f *testing.F) {
	f.Add(goldenTick)
	f.Add(`{"T":"q","S":"i","t":3,"n":2,"i":1}`)
	f.Add(`{"T":"q","S":"`)
	f.Fuzz(func(t *testing.T, text string) {
		var got tick
		if !got.scan([]byte(text)) {
			return
		}
		if len(got.symbol) == 0 || !bytes.Contains([]byte(text), got.symbol) {
			t.Errorf("%q: symbol %q", text, got.symbol)
		}
		// Where it is one flat object with each name once, a real decoder must agree.
		var m map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &m) != nil || bytes.ContainsAny([]byte(text[1:]), `{[\`) || bytes.Count([]byte(text), []byte(`":`)) != len(m) {
			return
		}
		for name, v := range map[string]uint64{"n": got.n, "i": got.i, "t": uint64(got.due)} {
			if want, err := strconv.ParseUint(string(m[name]), 10, 64); err == nil && want != v {
				t.Errorf("%q: %s is %d, read as %d", text, name, want, v)
			}
		}
	})
}

func TestEndsInSeq(t *testing.T) {
	for _, c := range []struct {
		id  string
		seq uint64
		ok  bool
	}{
		{"9f3c1a-482913", 482913, true}, {"1-0", 0, true}, {"1-10", 10, true}, {"1-10", 0, false}, {"1-482913", 82913, false},
		{"482913", 482913, false}, {"", 1, false}, {"1-4829130", 482913, false}, {"1-18446744073709551615", 1<<64 - 1, true},
	} {
		if got := endsInSeq([]byte(c.id), c.seq); got != c.ok {
			t.Errorf("%q, %d: %v", c.id, c.seq, got)
		}
	}
}

func TestScanAllocatesNothing(t *testing.T) {
	text := []byte(goldenTick)
	var got tick
	if n := testing.AllocsPerRun(100, func() { got.scan(text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkScanTick(b *testing.B) {
	text := []byte(goldenTick)
	var got tick
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		got.scan(text)
	}
}

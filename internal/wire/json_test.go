package wire

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"ticklane/internal/quote"
)

// plain is an ordinary tick for golden bytes.
var plain = quote.Tick{
	Bid: 18426, BidSize: 300, Ask: 18428, AskSize: 100, Last: 18427, Volume: 48291300, Due: 1753100000123456,
	Open: 18300, High: 18510, Low: 18250, PrevClose: 18295, N: 9658, Seq: 482913,
}

// extremes returns ticks with the longest texts and the smallest values.
func extremes() []quote.Tick {
	low := quote.Tick{
		Symbol: math.MaxInt32, BidSize: math.MinInt32, AskSize: math.MinInt32,
		Bid: math.MinInt64, Ask: math.MinInt64, Last: math.MinInt64, Open: math.MinInt64, High: math.MinInt64,
		Low: math.MinInt64, PrevClose: math.MinInt64, Volume: math.MinInt64, Due: math.MinInt64,
		N: math.MaxUint64, Seq: math.MaxUint64,
	}
	return []quote.Tick{plain, {}, low}
}

func TestQuoteGolden(t *testing.T) {
	const (
		q = `{"T":"q","S":"BRK.B","bp":184.26,"bs":300,"ap":184.28,"as":100,"p":184.27,"v":48291300,"t":1753100000123456,"n":9658,"i":482913}`
		d = `{"T":"q","S":"BRK.B","bp":184.26,"bs":300,"ap":184.28,"as":100,"p":184.27,"v":48291300,"t":1753100000123456,"n":9658,"i":482913,"o":183.00,"h":185.10,"l":182.50,"c":182.95}`
	)
	if got := AppendQuote(nil, "BRK.B", &plain); string(got) != q {
		t.Errorf("q: %s", got)
	}
	if got := JSON.AppendQuote(nil, "BRK.B", &plain); string(got) != q {
		t.Errorf("JSON: %s", got)
	}
	if got := Proto.AppendQuote(nil, "BRK.B", &plain); string(got) != string(appendProtoTick(nil, "BRK.B", &plain)) {
		t.Errorf("protobuf: %x", got)
	}
	if got := appendDayQuote(nil, "BRK.B", &plain); string(got) != d {
		t.Errorf("day: %s", got)
	}
	if got := SSEJSON.AppendTick(nil, 0x9f3c1a, plain.Seq, []byte(q)); string(got) != "data: "+q+"\nid: 9f3c1a-482913\n\n" {
		t.Errorf("SSE: %q", got)
	}
	if got := WSJSON.AppendTick(nil, 0x9f3c1a, plain.Seq, []byte(q)); string(got) != "\x81\x7e\x00\x80"+q {
		t.Errorf("WebSocket: %q", got)
	}
}

func TestMaxTickBounds(t *testing.T) {
	ticks := extremes()
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		v := func() int64 { return int64(r.Uint64()) >> r.IntN(64) }
		ticks = append(ticks, quote.Tick{
			Bid: quote.Price(v()), Ask: quote.Price(v()), Last: quote.Price(v()), Volume: v(), Due: v(),
			BidSize: int32(v()), AskSize: int32(v()), N: uint64(v()), Seq: uint64(v()),
		})
	}
	ticker := strings.Repeat("W", quote.MaxSymbol)
	for _, k := range ticks {
		text := AppendQuote(nil, ticker, &k)
		if !json.Valid(text) || !json.Valid(appendDayQuote(nil, ticker, &k)) {
			t.Fatalf("not JSON: %s", text)
		}
		for format := range Formats {
			body := format.Encoding().AppendQuote(nil, ticker, &k)
			if n := len(format.AppendTick(nil, math.MaxUint64, k.Seq, body)); n > MaxTick {
				t.Fatalf("%v has %d bytes, more than MaxTick: %s", format, n, text)
			}
		}
	}
}

func TestTickAllocatesNothing(t *testing.T) {
	text, out := make([]byte, 0, MaxTick), make([]byte, 0, MaxTick)
	for format := range Formats {
		n := testing.AllocsPerRun(100, func() {
			text = format.Encoding().AppendQuote(text[:0], "AAPL", &plain)
			out = format.AppendTick(out[:0], 0x9f3c1a, plain.Seq, text)
		})
		if n != 0 {
			t.Errorf("%v: %v allocations a tick", format, n)
		}
	}
}

func BenchmarkAppendQuote(b *testing.B) {
	for e := range Encodings {
		b.Run(e.String(), func(b *testing.B) {
			text := make([]byte, 0, MaxTick)
			b.ReportAllocs()
			for b.Loop() {
				text = e.AppendQuote(text[:0], "AAPL", &plain)
			}
			b.ReportMetric(float64(len(text)), "B/tick")
		})
	}
}

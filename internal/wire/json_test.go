package wire

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"ticklane/internal/quote"
)

// instrument returns an instrument of whole shares, with prices in cents.
func instrument(symbol string) *quote.Instrument {
	return &quote.Instrument{Symbol: symbol, Sector: "x", Decimals: 2}
}

// plain is an ordinary tick for golden bytes.
var plain = quote.Tick{
	Bid: 18426, BidSize: 300, Ask: 18428, AskSize: 100, Last: 18427, Volume: 48291300, Due: 1753100000123456,
	Open: 18300, High: 18510, Low: 18250, PrevClose: 18295, N: 9658, Seq: 482913,
}

// extremes returns ticks with the longest texts and the smallest values.
func extremes() []quote.Tick {
	low := quote.Tick{
		Symbol: math.MaxInt32, BidSize: math.MinInt64, AskSize: math.MinInt64, Received: math.MinInt64,
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
	if got := AppendQuote(nil, instrument("BRK.B"), &plain); string(got) != q {
		t.Errorf("q: %s", got)
	}
	if got := JSON.AppendQuote(nil, instrument("BRK.B"), &plain); string(got) != q {
		t.Errorf("JSON: %s", got)
	}
	if got := Proto.AppendQuote(nil, instrument("BRK.B"), &plain); string(got) != string(appendProtoTick(nil, instrument("BRK.B"), &plain)) {
		t.Errorf("protobuf: %x", got)
	}
	if got := appendDayQuote(nil, instrument("BRK.B"), &plain); string(got) != d {
		t.Errorf("day: %s", got)
	}
	if got := SSEJSON.AppendTick(nil, 0x9f3c1a, plain.Seq, []byte(q)); string(got) != "data: "+q+"\nid: 9f3c1a-482913\n\n" {
		t.Errorf("SSE: %q", got)
	}
	if got := WSJSON.AppendTick(nil, 0x9f3c1a, plain.Seq, []byte(q)); string(got) != "\x81\x7e\x00\x80"+q {
		t.Errorf("WebSocket: %q", got)
	}
}

// scaledTick is a tick of an instrument with the JSON that it has in a snapshot.
type scaledTick struct {
	in   *quote.Instrument
	tick quote.Tick
	want string
}

// scaledTicks returns ticks of instruments with all kinds of decimals.
func scaledTicks() []scaledTick {
	return []scaledTick{
		{&quote.Instrument{Symbol: "EURUSD", Decimals: 5},
			quote.Tick{Bid: 108345, BidSize: 1_000_000, Ask: 108347, AskSize: 500_000, Last: 108346, Volume: 123, Open: 108000, High: 109000, Low: 100000, PrevClose: 107999, Due: 7, N: 1, Seq: 2},
			`{"T":"q","S":"EURUSD","bp":1.08345,"bs":1000000,"ap":1.08347,"as":500000,"p":1.08346,"v":123,"t":7,"n":1,"i":2,"o":1.08000,"h":1.09000,"l":1.00000,"c":1.07999}`},
		{&quote.Instrument{Symbol: "BTC/USD", Decimals: 1, SizeDecimals: 4},
			quote.Tick{Bid: 671234, BidSize: 1, Ask: 671240, AskSize: 10000, Last: 671234, Volume: 98765432, Open: 1, High: 1, Low: 1, PrevClose: 1, Due: 7, N: 1, Seq: 2},
			`{"T":"q","S":"BTC/USD","bp":67123.4,"bs":0.0001,"ap":67124.0,"as":1.0000,"p":67123.4,"v":9876.5432,"t":7,"n":1,"i":2,"o":0.1,"h":0.1,"l":0.1,"c":0.1}`},
		{&quote.Instrument{Symbol: "USDJPY", Decimals: 3},
			quote.Tick{Bid: 150123, Ask: 150130, Last: 150125, Open: 150000, High: 150000, Low: 150000, PrevClose: 150000, Due: 7, N: 1, Seq: 2},
			`{"T":"q","S":"USDJPY","bp":150.123,"bs":0,"ap":150.130,"as":0,"p":150.125,"v":0,"t":7,"n":1,"i":2,"o":150.000,"h":150.000,"l":150.000,"c":150.000}`},
		{&quote.Instrument{Symbol: "^N225"},
			quote.Tick{Bid: 38000, Ask: 38001, Last: 38000, Open: 37900, High: 38100, Low: 37800, PrevClose: 37950, Due: 7, N: 1, Seq: 2},
			`{"T":"q","S":"^N225","bp":38000,"bs":0,"ap":38001,"as":0,"p":38000,"v":0,"t":7,"n":1,"i":2,"o":37900,"h":38100,"l":37800,"c":37950}`},
		{&quote.Instrument{Symbol: "CL=F", Decimals: 2, Negative: true},
			quote.Tick{Bid: -3764, Ask: -3762, Last: -3763, High: 5, Low: -4032, Due: 7, Received: 9, N: 1, Seq: 2, Halted: true},
			`{"T":"q","S":"CL=F","bp":-37.64,"bs":0,"ap":-37.62,"as":0,"p":-37.63,"v":0,"t":7,"r":9,"n":1,"i":2,"o":0.00,"h":0.05,"l":-40.32,"c":0.00,"status":"halted"}`},
		{&quote.Instrument{Symbol: "wei", Decimals: 9, SizeDecimals: 9},
			quote.Tick{Bid: 1, BidSize: 1, Ask: 2, AskSize: quote.MaxUnits, Last: 1, Volume: 1_000_000_000, Due: 7, N: 1, Seq: 2},
			`{"T":"q","S":"wei","bp":0.000000001,"bs":0.000000001,"ap":0.000000002,"as":9007199.254740991,"p":0.000000001,"v":1.000000000,"t":7,"n":1,"i":2,"o":0.000000000,"h":0.000000000,"l":0.000000000,"c":0.000000000}`},
	}
}

// TestQuoteDecimals: every number has exactly the decimals of its instrument.
func TestQuoteDecimals(t *testing.T) {
	for _, c := range scaledTicks() {
		if got := string(appendDayQuote(nil, c.in, &c.tick)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		snap := Snapshot{At: quote.Position{Epoch: 1, Seq: 2}, Quotes: []DayQuote{{c.in, &c.tick}}}.Message()
		checkTwin(t, snap.JSON(), snap.body.appendProto(nil))
		checkTick(t, c.in, &c.tick)
	}
}

func TestMaxTickBounds(t *testing.T) {
	ticks := extremes()
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		v := func() int64 { return int64(r.Uint64()) >> r.IntN(64) }
		ticks = append(ticks, quote.Tick{
			Bid: quote.Price(v()), Ask: quote.Price(v()), Last: quote.Price(v()), Volume: quote.Size(v()), Due: v(), Received: v(),
			BidSize: quote.Size(v()), AskSize: quote.Size(v()), N: uint64(v()), Seq: uint64(v()),
		})
	}
	in := instrument(strings.Repeat("W", quote.MaxSymbol))
	for i, k := range ticks {
		in.Decimals, in.SizeDecimals = uint8(i%(quote.MaxDecimals+1)), uint8(i/2%(quote.MaxDecimals+1))
		text := AppendQuote(nil, in, &k)
		if !json.Valid(text) || !json.Valid(appendDayQuote(nil, in, &k)) {
			t.Fatalf("not JSON: %s", text)
		}
		for format := range Formats {
			body := format.Encoding().AppendQuote(nil, in, &k)
			if n := len(format.AppendTick(nil, math.MaxUint64, k.Seq, body)); n > MaxTick {
				t.Fatalf("%v has %d bytes, more than MaxTick: %s", format, n, text)
			}
		}
	}
}

func TestTickAllocatesNothing(t *testing.T) {
	text, out, in := make([]byte, 0, MaxTick), make([]byte, 0, MaxTick), instrument("AAPL")
	for format := range Formats {
		n := testing.AllocsPerRun(100, func() {
			text = format.Encoding().AppendQuote(text[:0], in, &plain)
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
			text, in := make([]byte, 0, MaxTick), instrument("AAPL")
			b.ReportAllocs()
			for b.Loop() {
				text = e.AppendQuote(text[:0], in, &plain)
			}
			b.ReportMetric(float64(len(text)), "B/tick")
		})
	}
}

package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"ticklane/internal/quote/batch"
)

// quoteLines returns lines of quotes as a feed of shares has them.
func quoteLines(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for i := range n {
		bid := 10_000 + r.IntN(5_000)
		fmt.Fprintf(&b, `{"T":"q","S":"S%d","bp":%d.%02d,"ap":%d.%02d,"bs":%d,"as":%d,"p":%d.%02d,"t":%d,"n":%d}`+"\n", r.IntN(100), bid/100, bid%100, (bid+2)/100, (bid+2)%100,
			r.IntN(1000), r.IntN(1000), bid/100, bid%100, 1793021400000000+i, i+1)
	}
	return b.Bytes()
}

func hundred() []byte {
	var b bytes.Buffer
	for i := range 100 {
		fmt.Fprintf(&b, `{"T":"instrument","S":"S%d","sector":"x"}`+"\n", i)
	}
	return b.Bytes()
}

func benchmarkFeed(b *testing.B) *feed {
	f := newFeed(b, Options{MaxInstruments: 100})
	if r := f.send("", string(hundred())); r.Accepted != 100 {
		b.Fatal(r)
	}
	return f
}

// BenchmarkParse: one operation is one line.
func BenchmarkParse(b *testing.B) {
	f := benchmarkFeed(b)
	lines := bytes.Split(bytes.TrimSpace(quoteLines(1000)), []byte("\n"))
	p := parser{universe: f.Universe()}
	b.Run("own", func(b *testing.B) {
		b.ReportAllocs()
		var l line
		for i := range b.N {
			if p.parse(lines[i%len(lines)], 1<<52, &l); l.fault != nil {
				b.Fatal(l.fault)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			var l struct {
				T    string      `json:"T"`
				S    string      `json:"S"`
				BP   json.Number `json:"bp"`
				AP   json.Number `json:"ap"`
				BS   json.Number `json:"bs"`
				AS   json.Number `json:"as"`
				P    json.Number `json:"p"`
				Time int64       `json:"t"`
				N    uint64      `json:"n"`
			}
			if err := json.Unmarshal(lines[i%len(lines)], &l); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkWrite: one operation is one line, parsed, applied and published to nothing.
func BenchmarkWrite(b *testing.B) {
	f := benchmarkFeed(b)
	f.mu.Lock()
	f.publish = func(*batch.Batch) func(context.Context) error { return nil }
	f.mu.Unlock()
	lines := quoteLines(100_000)
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; {
		x := open(b, f.Source, fmt.Sprint(done))
		for rest := lines; len(rest) > 0 && done < b.N; {
			n := min(len(rest), 64<<10)
			if err := x.Write(b.Context(), rest[:n]); err != nil {
				b.Fatal(err)
			}
			done += bytes.Count(rest[:n], []byte("\n"))
			rest = rest[n:]
		}
		x.Close()
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	f := newFeed(t, Options{})
	f.send("", instruments)
	p := parser{universe: f.Universe()}
	text := []byte(`{"T":"q","S":"BTC/USD","bp":64150.25,"bs":0.0132,"ap":64150.5,"as":1,"p":64150.25,"v":7,"_x":["@","T"],"n":3,"t":1793021400000000}`)
	var l line
	if n := testing.AllocsPerRun(100, func() { p.parse(text, 1<<52, &l) }); n > 0 || l.fault != nil {
		t.Errorf("%v allocations a line, %v", n, l.fault)
	}
}

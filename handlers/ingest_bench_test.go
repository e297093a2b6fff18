package handlers_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"ticklane/internal/market/ingest"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// BenchmarkFeed sends numbered quotes of a hundred symbols on one connection, while a client on each lane reads its bytes: one operation
// is one line until it is written to both. A client that can't keep up gets a gap.
func BenchmarkFeed(b *testing.B) {
	source, err := ingest.New(ingest.Options{MaxInstruments: 100, MaxLine: 1000})
	if err != nil {
		b.Fatal(err)
	}
	f := runFeed(b, source, testserver.Options{})
	var list, body strings.Builder
	for i := range 100 {
		fmt.Fprintf(&list, `{"T":"instrument","S":"S%d","sector":"x"}`+"\n", i)
	}
	f.Post("/api/ingest", list.String(), ndjson)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b.N {
		bid := 10_000 + r.IntN(5_000)
		fmt.Fprintf(&body, `{"T":"q","S":"S%d","bp":%d.%02d,"ap":%d.%02d,"bs":%d,"as":%d,"p":%d.%02d,"t":%d,"n":%d}`+"\n", r.IntN(100),
			bid/100, bid%100, (bid+2)/100, (bid+2)%100, r.IntN(1000), r.IntN(1000), bid/100, bid%100, 1793021400000000+i, i+1)
	}
	for _, c := range []*testserver.Client{f.SSE(""), f.WS("")} {
		go func() { _, _ = io.Copy(io.Discard, c.Reader) }()
	}
	b.ResetTimer()
	c, text := f.Post("/api/ingest?source=bench", body.String(), ndjson)
	if r := answer(b, text); c.Status != 200 || r.Accepted != uint64(b.N) {
		b.Fatal(text)
	}
	sent := func(lane wire.Lane) bool {
		s := f.TickLog.Lane(lane)
		return s.Ticks == uint64(b.N) || s.Gaps > 0
	}
	testkit.Eventually(b, func() bool { return sent(wire.SSE) && sent(wire.WS) }, "all ticks")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(float64(f.TickLog.Lane(wire.SSE).Gaps+f.TickLog.Lane(wire.WS).Gaps), "gaps")
}

package e2e

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

var (
	renderingTime = flag.Duration("rendering", 20*time.Second, "how long BenchmarkRendering looks at each lane")
	memoryTime    = flag.Duration("memory", 0, "how long BenchmarkMemory looks; `make rendering` looks for ten minutes")
)

// frames counts the animation frames of the page.
const frames = `(() => { self.frames = 0; const next = () => { self.frames++; requestAnimationFrame(next); }; requestAnimationFrame(next); })()`

// openBusy opens the dashboard on a market of 500 symbols and 5,000 ticks a second.
func openBusy(bench *testing.B, query string, width, height int64) *tab {
	s := serve(bench, "--market.rate", "5000", "--market.symbols", "500")
	b := openTab(bench)
	b.size(width, height)
	b.visit(s.url + "/" + query)
	b.waitLive()
	// Reporting each message to the test would be measured, too.
	b.call(chromedp.Call(b.ctx, network.Disable, noParams))
	b.call(chromedp.Call(b.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}))
	b.run(frames)
	b.sleep(5 * time.Second) // code is compiled, sparklines load
	return b
}

func (b *tab) sleep(d time.Duration) {
	b.t.Helper()
	select {
	case <-time.After(d):
	case <-b.ctx.Done():
		b.t.Fatal(context.Cause(b.ctx))
	}
}

// metrics returns the browser's counters of the page; times are CPU seconds of its main thread.
func (b *tab) metrics() map[string]float64 {
	b.t.Helper()
	have, err := chromedp.Call(b.ctx, performance.GetMetrics, noParams)
	if err != nil {
		b.t.Fatal(err)
	}
	m := map[string]float64{}
	for _, x := range have.Metrics {
		m[x.Name] = x.Value
	}
	return m
}

// BenchmarkRendering measures the main thread's CPU time and the frame rate of the dashboard at 5,000 ticks a second of 500
// symbols.
func BenchmarkRendering(bench *testing.B) {
	bench.Logf("%s/%s, %d CPUs, Chromium without a GPU; browser and server share the machine", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for _, side := range []struct {
		name, query   string
		width, height int64
	}{
		{"sse", "", 1440, 900},
		{"ws", "?lane=ws", 1440, 900},
		{"ws-protobuf", "?lane=ws&encoding=protobuf", 1440, 900},
		{"sse-sorted", "?sort=-change", 1440, 900},
		{"sse-charts", "?charts=AAPL:1m,JPM:10s,AMZN:1m:line,LLY:5m", 1440, 900},
		{"sse-wall", "", 2560, 1440},
		{"sse-phone", "", 390, 844},
	} {
		bench.Run(side.name, func(bench *testing.B) {
			b := openBusy(bench, side.query, side.width, side.height)
			for bench.Loop() {
				before, start, framesBefore := b.metrics(), time.Now(), eval[float64](b, "self.frames")
				b.sleep(*renderingTime)
				after, took, framesAfter := b.metrics(), time.Since(start).Seconds(), eval[float64](b, "self.frames")
				share := func(name string) float64 { return 100 * (after[name] - before[name]) / took }
				bench.ReportMetric((framesAfter-framesBefore)/took, "frames/s")
				bench.ReportMetric(share("TaskDuration"), "main%")
				bench.ReportMetric(share("ScriptDuration"), "script%")
				bench.ReportMetric(share("LayoutDuration"), "layout%")
				bench.ReportMetric(share("RecalcStyleDuration"), "style%")
				bench.ReportMetric((after["LayoutCount"]-before["LayoutCount"])/took, "layouts/s")
				bench.ReportMetric(0, "ns/op")
			}
			if lost := b.counter("lost"); lost != 0 {
				bench.Errorf("%d ticks lost", lost)
			}
		})
	}
}

// BenchmarkFirstQuote measures a first visit: milliseconds from the stream's request to its first event, and from the
// start of the navigation to the first painted quote.
func BenchmarkFirstQuote(bench *testing.B) {
	s := serve(bench)
	var event, painted float64
	for bench.Loop() {
		b := openTab(bench)
		b.inject(noSharedWorker) // the browser doesn't report a worker's requests
		b.visit(s.url + "/")
		b.waitLive()
		streams := b.requestsTo("/sse/subscribe")
		if len(streams) != 1 || streams[0].events == 0 {
			bench.Fatalf("streams %+v, want one with events", streams)
		}
		event += (streams[0].firstEvent - streams[0].sent) * 1000
		painted += eval[float64](b, "performance.getEntriesByName('first-quote')[0].startTime")
		b.discard()
	}
	bench.ReportMetric(event/float64(bench.N), "event-ms")
	bench.ReportMetric(painted/float64(bench.N), "painted-ms")
	bench.ReportMetric(0, "ns/op")
}

// BenchmarkMemory prints the page's heap after a garbage collection once a minute.
func BenchmarkMemory(bench *testing.B) {
	b := openBusy(bench, "", 1440, 900)
	for bench.Loop() {
		first, last := 0.0, 0.0
		for minute := 0; ; minute++ {
			b.call(chromedp.Call(b.ctx, heapprofiler.CollectGarbage, noParams))
			m := b.metrics()
			last = m["JSHeapUsedSize"] / 1e6
			if minute == 1 { // the first minute fills what is bounded: trades, histograms, sparklines
				first = last
			}
			fmt.Printf("minute %2d: heap %.2f MB, %.0f nodes, %.0f listeners\n", minute, last, m["Nodes"], m["JSEventListeners"])
			if time.Duration(minute)*time.Minute >= *memoryTime {
				break
			}
			b.sleep(time.Minute)
		}
		bench.ReportMetric(last, "MB")
		bench.ReportMetric(last-first, "MB-grown")
		bench.ReportMetric(0, "ns/op")
	}
}

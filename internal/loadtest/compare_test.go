package loadtest

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
	"ticklane/internal/loadtest/stats"
)

func TestCompare(t *testing.T) {
	var log bytes.Buffer
	o := smallOptions(t, startTestServer(t, 500, 1000))
	o.Log = NewProgress(&log, false)
	r := mustRun(t, o)
	var order string
	for _, w := range r.Windows {
		order += w.Variant
		if w.Ticks == 0 || w.Latency.Count != w.Ticks || w.Check != (report.Check{}) {
			t.Errorf("%s: %d ticks, %d with a latency, %+v", w.Variant, w.Ticks, w.Latency.Count, w.Check)
		}
		if w.Latency.P50 <= 0 || w.Latency.P50 > w.Latency.P99 || w.Latency.P99 > w.Latency.Max {
			t.Errorf("%s: p50 %d, p99 %d, max %d µs", w.Variant, w.Latency.P50, w.Latency.P99, w.Latency.Max)
		}
		if w.Server.CPUSeconds <= 0 || w.Server.WirePerTick <= w.Server.PayloadPerTick || w.Server.PayloadPerTick < 90 || w.Server.WritesPerTick <= 0 {
			t.Errorf("%s: %+v", w.Variant, w.Server)
		}
		if h, err := (&stats.Latency{Histogram: w.Latency.Histogram}).Decode(); err != nil || uint64(h.TotalCount()) != w.Latency.Count {
			t.Errorf("%s: the encoded histogram differs: %v", w.Variant, err)
		}
		if w.Generator.Bytes == 0 || w.Reads == 0 || w.Messages < w.Ticks {
			t.Errorf("%s: %+v", w.Variant, w)
		}
		// The server counts the bytes that arrive.
		if received, sent := float64(w.Generator.Bytes)/float64(w.Ticks), w.Server.WirePerTick; received < sent*0.95 || received > sent*1.05 {
			t.Errorf("%s: %.1f bytes per tick received, %.1f by the server's count", w.Variant, received, sent)
		}
	}
	if order != "ABBA" {
		t.Errorf("order %s", order)
	}
	if r.Variants[0].Engine != "stream" || r.Target.Version != "test" || r.Target.Symbols != 60 || !r.Target.Loopback || r.Target.Own {
		t.Errorf("%+v %+v", r.Variants[0], r.Target)
	}
	if n := strings.Count(log.String(), "ticks/s"); n != 4 || strings.Contains(log.String(), "\r") {
		t.Errorf("progress without a terminal:\n%s", log.String())
	}
}

func TestFilteredTopics(t *testing.T) {
	t.Parallel()
	o := smallOptions(t, startTestServer(t, 2000, 1000))
	o.Topics, o.Rounds = strings.Join(symbolsOf(t, o.URL, 3), ","), 1
	for _, w := range mustRun(t, o).Windows {
		if w.Ticks == 0 || w.Check != (report.Check{}) {
			t.Errorf("%s: %d ticks, %+v", w.Variant, w.Ticks, w.Check)
		}
	}
	o.Mode = "latest"
	mustRun(t, o)
}

func TestSlowReadersAndChurn(t *testing.T) {
	o := smallOptions(t, startTestServer(t, 500, 1000))
	o.SlowReaders, o.Churn, o.Rounds = 3, 200, 1
	for _, w := range mustRun(t, o).Windows {
		if w.Churned == 0 || w.Check != (report.Check{}) {
			t.Errorf("%s: %d churned, %+v", w.Variant, w.Churned, w.Check)
		}
		if w.SlowReaders == nil || w.SlowReaders.Connections != 3 {
			t.Errorf("%s: slow readers %+v", w.Variant, w.SlowReaders)
		}
	}
}

func TestOwnServer(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := smallOptions(t, "")
	o.Serve, o.Set, o.Rounds = []string{self}, []string{"market.rate=500"}, 1
	r := mustRun(t, o)
	for _, w := range r.Windows {
		if w.Ticks == 0 || w.Server.RSSIdle == 0 {
			t.Errorf("%s: %d ticks, %+v", w.Variant, w.Ticks, w.Server)
		}
	}
	if all := strings.Join(r.Target.Settings, " "); !r.Target.Own || strings.Count(all, "market.rate") != 1 || !strings.Contains(all, "--market.rate=500") {
		t.Errorf("%+v", r.Target)
	}
}

// TestGapsAreTheServersFailure: a gap in one window is reported as a failure of the server.
func TestGapsAreTheServersFailure(t *testing.T) {
	t.Parallel()
	var streams atomic.Int64
	o := smallOptions(t, startFakeServer(t, func(w http.ResponseWriter, r *http.Request) {
		s := newFakeStream(w, r, 5*time.Millisecond)
		defer s.close()
		s.hello(9, "none")
		seq := 10
		if streams.Add(1) == 2 {
			s.send(12, `{"T":"gap","from":10,"to":12,"missed":3,"reason":"lag"}`)
			s.send(12, snapshotAt(12))
			seq = 13
		}
		for s.tick(seq) {
			seq++
		}
	}))
	o.Lanes, o.Conns, o.Rounds = []string{"sse"}, 1, 5
	r, err := run(t, o)
	if r == nil || err != nil && !errors.Is(err, ErrInvalid) {
		t.Fatal(err)
	}
	for k, w := range r.Windows {
		if (k == 1) != (len(w.ServerFailures) > 0) {
			t.Errorf("window %d: %q", k, w.ServerFailures)
		}
	}
	if !strings.Contains(strings.Join(r.Findings, "\n"), "The server failed over SSE in 1 of 5 windows") {
		t.Errorf("%q", r.Findings)
	}
}

// TestInterrupted: what was measured before an interruption is reported.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := smallOptions(t, startTestServer(t, 500, 1000))
	o.Rounds, o.Duration = 1000, 100*time.Millisecond
	o.Log = NewProgress(writerFunc(func(p []byte) (int, error) {
		if strings.Contains(string(p), "3/2000") {
			cancel()
		}
		return len(p), nil
	}), false)
	r, err := runContext(t, ctx, o)
	if !errors.Is(err, ErrInterrupted) || r == nil || r.Status != report.StatusInterrupted || len(r.Windows) != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	if !strings.HasPrefix(r.Headline, "Interrupted") || len(r.Metrics) == 0 {
		t.Errorf("headline %q, %d metrics", r.Headline, len(r.Metrics))
	}
	if _, err := r.HTML(); err != nil {
		t.Error(err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestBrokenThreshold: the test itself is complete, its error names the thresholds that are broken.
func TestBrokenThreshold(t *testing.T) {
	o := smallOptions(t, startTestServer(t, 500, 1000))
	o.Thresholds = []string{"lost==0", "ticks_per_second<1", "B:late>=0"}
	r, err := run(t, o)
	if !errors.Is(err, ErrThreshold) || r == nil || len(r.Thresholds) != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	if x := r.Thresholds; !x[0].Held || x[1].Held || !x[2].Held || len(x[1].Results) != 2 || len(x[2].Results) != 1 {
		t.Errorf("%+v", x)
	}
	if !strings.Contains(err.Error(), "threshold broken: ticks_per_second<1 (SSE ") || strings.Contains(err.Error(), "lost==0") {
		t.Errorf("%v", err)
	}
}

// TestBaseline: a test is compared with the saved report of an earlier one, of another setup.
func TestBaseline(t *testing.T) {
	o := smallOptions(t, startTestServer(t, 500, 1000))
	o.Lanes = []string{"ws"}
	path, _, err := mustRun(t, o).Save(filepath.Join(t.TempDir(), "before"))
	if err != nil {
		t.Fatal(err)
	}
	o.Baseline, o.Conns = path, 9
	o.Lanes = []string{"sse"}
	if err := o.Check(); err == nil || !strings.Contains(err.Error(), "has WebSocket, and no lane of this test: A SSE") {
		t.Errorf("%v", err)
	}
	o.Lanes = []string{"sse", "ws"}
	r := mustRun(t, o)
	if r.Baseline == nil || len(r.Baseline.Variants) != 2 || r.Baseline.Variants[0].Baseline != "" || r.Baseline.Variants[1].Baseline != "A" {
		t.Fatalf("%+v", r.Baseline)
	}
	if d := r.Baseline.Differs; len(d) != 1 || d[0] != "connections 8 → 9" {
		t.Errorf("%q", d)
	}
	if len(r.Baseline.Variants[1].Figures) < 10 {
		t.Errorf("%+v", r.Baseline.Variants[1].Figures)
	}
}

// TestFresh: memory per connection is measured only if the server has had hardly any streams.
func TestFresh(t *testing.T) {
	for opened, want := range map[uint64]bool{0: true, 20: true, 21: false, 1000: false} {
		m := measurement{window: &report.Window{Connections: 1000}, start: serverStats{Lanes: map[string]laneStats{"sse": {Opened: opened}}}}
		if m.fresh() != want {
			t.Errorf("%d streams opened: fresh %v", opened, m.fresh())
		}
	}
}

func TestOwnServerThatDoesNotStart(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := smallOptions(t, "")
	o.Serve, o.Set = []string{self}, []string{"bad=1"}
	if r, err := run(t, o); r != nil || err == nil || !strings.Contains(err.Error(), "unknown key bad") {
		t.Errorf("%v, %v", r, err)
	}
}

func TestRefusedByTheServer(t *testing.T) {
	url := startTestServer(t, 100, 4)
	for _, lane := range []string{"sse", "ws"} {
		o := smallOptions(t, url)
		o.Lanes = []string{lane}
		r, err := run(t, o)
		var refused *client.RefusedError
		if r != nil || !errors.As(err, &refused) || refused.Reason != "overload" {
			t.Errorf("%s: %v, %v", lane, r, err)
		}
		o.Conns, o.Topics = 1, "NOPE"
		if r, err := run(t, o); r != nil || err == nil || !strings.Contains(err.Error(), "NOPE") {
			t.Errorf("%s: %v, %v", lane, r, err)
		}
	}
}

package loadtest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

// busy lets a test go on when the machine, not the code, made the run invalid.
func busy(err error) bool { return err == nil || errors.Is(err, ErrInvalid) }

func TestCompare(t *testing.T) { patiently(t, testCompare) }

func testCompare(t testing.TB) {
	var log bytes.Buffer
	o := small(t, open(t, 500, 1000))
	o.Log = NewProgress(&log, false)
	r, err := start(t, t.Context(), o)
	if r == nil || !busy(err) {
		t.Fatal(err)
	}
	calm(t, r)
	var order string
	for _, s := range r.Slots {
		order += s.Side
		if s.Ticks < 100 || s.Latency.Count != s.Ticks || s.Check != (counts{}) {
			t.Errorf("%s: %d ticks, %d with a latency, %+v", s.Side, s.Ticks, s.Latency.Count, s.Check)
		}
		if s.Latency.P50 <= 0 || s.Latency.P50 > s.Latency.P99 || s.Latency.P99 > s.Latency.Max {
			t.Errorf("%s: p50 %d, p99 %d, max %d µs", s.Side, s.Latency.P50, s.Latency.P99, s.Latency.Max)
		}
		if s.Server.CPUSeconds <= 0 || s.Server.WirePerTick <= s.Server.PayloadPerTick || s.Server.PayloadPerTick < 90 || s.Server.WritesPerTick <= 0 {
			t.Errorf("%s: %+v", s.Side, s.Server)
		}
		if h, err := (&Latency{Histogram: s.Latency.Histogram}).Decode(); err != nil || uint64(h.TotalCount()) != s.Latency.Count {
			t.Errorf("%s: the histogram doesn't read back: %v", s.Side, err)
		}
		if len(s.Latency.Histogram) == 0 || s.Generator.Bytes == 0 || s.Reads == 0 {
			t.Errorf("%s: empty figures: %+v", s.Side, s)
		}
	}
	if order != "ABBA" {
		t.Errorf("order %s", order)
	}
	if r.Sides[0].Engine != "stream" || r.Target.Version != "test" || r.Target.Symbols != 20 || !r.Target.Loopback || r.Target.Own {
		t.Errorf("%+v %+v", r.Sides[0], r.Target)
	}
	if n := strings.Count(log.String(), "ticks/s"); n != 4 || strings.Contains(log.String(), "\r") {
		t.Errorf("progress without a terminal:\n%s", log.String())
	}
}

// TestWireBytes holds the server's count of bytes to what arrived.
func TestWireBytes(t *testing.T) { patiently(t, testWireBytes) }

func testWireBytes(t testing.TB) {
	o := small(t, open(t, 1000, 1000))
	o.Duration, o.Rounds = 500*stretched(t), 1
	r, err := start(t, t.Context(), o)
	if r == nil || !busy(err) {
		t.Fatal(err)
	}
	for _, s := range r.Slots {
		got, told := float64(s.Generator.Bytes)/float64(s.Ticks), s.Server.WirePerTick
		if got < told*0.97 || got > told*1.03 {
			t.Errorf("%s: %.1f bytes a tick arrived, the server counts %.1f", s.Side, got, told)
		}
	}
}

func TestFiltered(t *testing.T) { patiently(t, testFiltered) }

func testFiltered(t testing.TB) {
	o := small(t, open(t, 2000, 1000))
	url := o.URL
	symbols := firstSymbols(t, url, 3)
	o.Topics = strings.Join(symbols, ",")
	o.Rounds = 1
	r, err := start(t, t.Context(), o)
	if r == nil || !busy(err) {
		t.Fatal(err)
	}
	calm(t, r)
	for _, s := range r.Slots {
		if s.Ticks == 0 || s.Check != (counts{}) {
			t.Errorf("%s: %d ticks, %+v", s.Side, s.Ticks, s.Check)
		}
	}
	o.Mode = "latest"
	if r, err = start(t, t.Context(), o); r == nil || !busy(err) {
		t.Fatal(err)
	}
	calm(t, r)
}

func firstSymbols(t testing.TB, url string, n int) []string {
	t.Helper()
	o := small(t, url)
	tg, err := newTarget(t.Context(), &o, url)
	if err != nil {
		t.Fatal(err)
	}
	defer tg.close()
	var names []string
	for name := range tg.symbols {
		if names = append(names, name); len(names) == n {
			break
		}
	}
	return names
}

func TestSlowReadersAndChurn(t *testing.T) { patiently(t, testSlowReadersAndChurn) }

func testSlowReadersAndChurn(t testing.TB) {
	o := small(t, open(t, 500, 1000))
	o.SlowReaders, o.Churn, o.Rounds, o.Duration = 3, 200, 1, 300*stretched(t)
	r, err := start(t, t.Context(), o)
	if r == nil || !busy(err) {
		t.Fatal(err)
	}
	calm(t, r)
	for _, s := range r.Slots {
		if s.Churned == 0 || s.Check != (counts{}) {
			t.Errorf("%s: %d churned, %+v", s.Side, s.Churned, s.Check)
		}
		if s.Slow == nil || s.Slow.Connections != 3 {
			t.Errorf("%s: slow readers %+v", s.Side, s.Slow)
		}
	}
}

func TestDrillResume(t *testing.T) { patiently(t, testDrillResume) }

func testDrillResume(t testing.TB) {
	o := small(t, open(t, 2000, 1000))
	o.Drill, o.Cuts = DrillResume, 60
	r, err := start(t, t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Drills) != 2 {
		t.Fatalf("%d drills", len(r.Drills))
	}
	for _, d := range r.Drills {
		if d.Cuts != 60 || d.Check != (counts{}) || d.Resumed == 0 || d.Resumed+d.Early != d.Cuts || d.Replayed == 0 || d.GapTold != 0 || d.Back == nil || d.Caught == nil {
			t.Errorf("%s: %+v", d.Name, d)
		}
	}
}

func TestDrillStorm(t *testing.T) {
	o := small(t, open(t, 1000, 1000))
	o.Drill, o.Conns = DrillStorm, 40
	r, err := start(t, t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.Drills {
		if d.Cuts != 40 || d.Back == nil || d.Back.Count != 40 || d.Check != (counts{}) {
			t.Errorf("%s: %+v", d.Name, d)
		}
	}
}

// TestStormAgainstALimit: the server has room for fewer than come back before it has seen the cuts, so some are turned
// away and try again.
func TestStormAgainstALimit(t *testing.T) {
	o := small(t, open(t, 50, 21))
	o.Drill, o.Conns = DrillStorm, 20
	r, err := start(t, t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.Drills {
		if d.Back == nil || d.Back.Count != 20 || d.Check != (counts{}) {
			t.Errorf("%s: %+v", d.Name, d)
		}
	}
}

func TestDrillSlow(t *testing.T) { patiently(t, testDrillSlow) }

func testDrillSlow(t testing.TB) {
	o := small(t, open(t, 500, 1000))
	o.Drill, o.Conns = DrillSlow, 20
	r, err := start(t, t.Context(), o)
	if r == nil || !busy(err) {
		t.Fatal(err)
	}
	calm(t, r)
	for _, d := range r.Drills {
		if len(d.Phases) != 3 || d.Stalled == nil || d.Stalled.Connections != 2 || d.Check != (counts{}) {
			t.Errorf("%s: %+v", d.Name, d)
		}
		for _, p := range d.Phases {
			if p.Latency.Count == 0 {
				t.Errorf("%s, phase %s: nothing came", d.Name, p.Name)
			}
		}
	}
}

func TestOwnServer(t *testing.T) { patiently(t, testOwnServer) }

func testOwnServer(t testing.TB) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := small(t, "")
	o.Serve, o.Set, o.Rounds = []string{self}, []string{"market.rate=500"}, 1
	r, err := start(t, t.Context(), o)
	if r == nil || !busy(err) {
		t.Fatal(err)
	}
	calm(t, r)
	for _, s := range r.Slots {
		if !s.fresh() || s.Ticks == 0 {
			t.Errorf("%s: %d ticks, %+v", s.Side, s.Ticks, s.start.Lanes)
		}
	}
	if all := strings.Join(r.Target.Settings, " "); !r.Target.Own || strings.Count(all, "market.rate") != 1 || !strings.Contains(all, "--market.rate=500") {
		t.Errorf("%+v", r.Target)
	}
}

func TestOwnServerThatDoesNotStart(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := small(t, "")
	o.Serve, o.Set = []string{self}, []string{"bad=1"}
	if r, err := start(t, t.Context(), o); r != nil || err == nil || !strings.Contains(err.Error(), "unknown key bad") {
		t.Errorf("%v, %v", r, err)
	}
}

// TestInterrupt: what was measured until then is reported, and marked.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := small(t, open(t, 500, 1000))
	o.Rounds = 1000
	o.Log = NewProgress(writerFunc(func(p []byte) (int, error) {
		if strings.Contains(string(p), "3/2000") {
			cancel()
		}
		return len(p), nil
	}), false)
	r, err := start(t, ctx, o)
	if !errors.Is(err, ErrInterrupted) || r == nil || r.Status != StatusInterrupted || len(r.Slots) != 3 {
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

func TestOverload(t *testing.T) {
	for _, lane := range []string{"sse", "ws"} {
		o := small(t, open(t, 100, 4))
		o.Lanes = []string{lane}
		r, err := start(t, t.Context(), o)
		var refused *RefusedError
		if r != nil || !errors.As(err, &refused) || refused.Reason != "overload" {
			t.Errorf("%s: %v, %v", lane, r, err)
		}
	}
}

func TestUnknownTopicIsTheServersToTell(t *testing.T) {
	for _, lane := range []string{"sse", "ws"} {
		o := small(t, open(t, 100, 10))
		o.Lanes, o.Topics = []string{lane}, "NOPE"
		if r, err := start(t, t.Context(), o); r != nil || err == nil || !strings.Contains(err.Error(), "NOPE") {
			t.Errorf("%s: %v, %v", lane, r, err)
		}
	}
}

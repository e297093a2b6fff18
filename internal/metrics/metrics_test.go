package metrics

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// scrape parses a response in the text format of Prometheus. Each line must be a comment or `name value`.
func scrape(t *testing.T, of Sources) map[string]float64 {
	t.Helper()
	w := httptest.NewRecorder()
	Handler(of).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	all := map[string]float64{}
	helped := map[string]bool{}
	for line := range strings.Lines(w.Body.String()) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, help, _ := strings.Cut(rest, " ")
			helped[name] = help != ""
			continue
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		if at < 0 {
			t.Fatalf("line %q", line)
		}
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		name := line[:at]
		if _, duplicate := all[name]; duplicate {
			t.Errorf("%s occurs twice", name)
		}
		all[name] = v
		if base, _, _ := strings.Cut(name, "{"); strings.HasPrefix(base, "ticklane_") && !helped[base] {
			t.Errorf("%s has no help", base)
		}
	}
	return all
}

func testLog(t *testing.T) *stream.Log {
	t.Helper()
	u, err := quote.NewUniverse([]quote.Instrument{{Symbol: "A", Decimals: 2, Sector: "x"}, {Symbol: "B", Decimals: 2, Sector: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := stream.New(stream.Config{Universe: u, Epoch: 7, Size: 100, Compress: stream.CompressOn, MaxSharedEncoders: 3, CompressBudget: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// TestEveryMetric: each figure has its name, and those of a lane its label.
func TestEveryMetric(t *testing.T) {
	log := testLog(t)
	every, err := log.Universe().Topics([]string{"*"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	meter := new(stream.Meter)
	sub := log.Subscribe(stream.Options{Format: wire.WSJSON, Topics: every, From: stream.FromUnknown, Meter: meter, Compress: stream.CompressDeflate})
	defer sub.Close()
	for len(sub.Next(time.Now())) > 0 { // the hello
	}
	for seq := uint64(1); seq <= 300; seq++ {
		log.Append([]quote.Tick{{Symbol: quote.ID(seq % 2), N: (seq + 1) / 2, Seq: seq, Bid: 100, Ask: 101, Last: 100}})
		for len(sub.Next(time.Now())) > 0 {
		}
	}
	meter.Bytes.Add(1234)
	meter.Writes.Add(5)
	sub.MarkSlow()

	got := scrape(t, Sources{
		Stream:     log,
		Server:     func() ServerCounts { return ServerCounts{Requests: 11, Failures: 12, Overloads: 13, Panics: 14} },
		Reanchored: func() uint64 { return 15 }, LogFailures: func() uint64 { return 16 }, HistoryFailures: func() uint64 { return 17 },
		Lines: func() (uint64, uint64, uint64) { return 18, 19, 20 }, AuditFailures: func() uint64 { return 21 },
		PendingRevocations: func() int { return 22 },
	})
	ws := log.Lane(wire.WS)
	for name, want := range map[string]float64{
		"ticklane_log_head": 300, "ticklane_log_oldest": 201,
		`ticklane_connections{lane="ws"}`: 1, `ticklane_connections{lane="sse"}`: 0,
		`ticklane_streams_total{lane="ws"}`: 1, `ticklane_streams_total{lane="sse"}`: 0,
		`ticklane_ticks_total{lane="ws"}`: 300, `ticklane_ticks_total{lane="sse"}`: 0,
		`ticklane_messages_total{lane="ws"}`:      float64(ws.Messages),
		`ticklane_payload_bytes_total{lane="ws"}`: float64(ws.Payload),
		`ticklane_wire_bytes_total{lane="ws"}`:    1234, `ticklane_writes_total{lane="ws"}`: 5,
		`ticklane_resumes_total{lane="ws"}`: 1, `ticklane_gaps_total{lane="ws"}`: 0, `ticklane_conflated_total{lane="ws"}`: 0,
		"ticklane_http_requests_total": 11, "ticklane_http_failures_total": 12, "ticklane_overloads_total": 13, "ticklane_panics_total": 14,
		"ticklane_feed_reanchored_total": 15, "ticklane_log_failures_total": 16, "ticklane_history_failures_total": 17,
		"ticklane_audit_failures_total": 21, "ticklane_cluster_pending_revocations": 22,
		"ticklane_feed_lines_accepted_total": 18, "ticklane_feed_lines_rejected_total": 19, "ticklane_feed_lines_duplicate_total": 20,
		"ticklane_compress_sets": 1, `ticklane_compress_in_bytes_total{lane="ws"}`: float64(ws.CompressIn),
		`ticklane_compress_out_bytes_total{lane="ws"}`: float64(ws.CompressOut), `ticklane_compress_seconds_total{lane="ws"}`: ws.CompressSeconds,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v (%v), want %v", name, v, ok, want)
		}
	}
	if ws.CompressOut == 0 || ws.CompressOut >= ws.CompressIn {
		t.Errorf("%d bytes became %d", ws.CompressIn, ws.CompressOut)
	}
	if ws.Messages < 302 || ws.Payload == 0 {
		t.Errorf("%+v", ws)
	}
	for _, name := range []string{"go_goroutines", "process_cpu_seconds_total"} {
		if _, ok := got[name]; !ok && (runtime.GOOS == "linux" || name == "go_goroutines") {
			t.Errorf("no %s", name)
		}
	}

	// The counts of an ended stream remain.
	sub.Close()
	got = scrape(t, Sources{Stream: log})
	if got[`ticklane_connections{lane="ws"}`] != 0 || got[`ticklane_ticks_total{lane="ws"}`] != 300 || got[`ticklane_wire_bytes_total{lane="ws"}`] != 1234 ||
		got[`ticklane_slow_total{lane="ws"}`] != 1 {
		t.Errorf("after the end: %+v", log.Lane(wire.WS))
	}
}

// TestDelayedMetrics: each view has its figures by its delay, and its streams count in those of the lanes.
func TestDelayedMetrics(t *testing.T) {
	live, delayed := testLog(t), testLog(t)
	every, err := live.Universe().Topics([]string{"*"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range []*stream.Log{live, delayed, delayed} {
		defer log.Subscribe(stream.Options{Format: wire.SSEJSON, Topics: every}).Close()
	}
	delayed.Append([]quote.Tick{{Symbol: 1, N: 1, Seq: 1, Bid: 100, Ask: 101, Last: 100}})
	got := scrape(t, Sources{Stream: live, HeldBytes: func() int64 { return 262144 }, Delayed: []Delayed{{
		Delay: 15 * time.Minute, Stream: delayed, Held: func() uint64 { return 7 }, Late: func() time.Duration { return time.Millisecond },
	}}})
	for name, want := range map[string]float64{
		`ticklane_connections{lane="sse"}`: 3, `ticklane_delayed_connections{delay="900"}`: 2, "ticklane_log_head": 0, `ticklane_delayed_log_head{delay="900"}`: 1,
		`ticklane_delayed_held_ticks{delay="900"}`: 7, `ticklane_delayed_late_seconds{delay="900"}`: 0.001, "ticklane_held_bytes": 262144,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v (%v), want %v", name, v, ok, want)
		}
	}
}

func TestSourcesMayBeNil(t *testing.T) {
	for name := range scrape(t, Sources{}) {
		if strings.HasPrefix(name, "ticklane_") {
			t.Errorf("%s without a source", name)
		}
	}
}

func TestReadProcess(t *testing.T) {
	start := time.Now()
	before := ReadProcess()
	// Use CPU until getrusage reports it, which it does in steps of some milliseconds.
	after := ReadProcess()
	for sum := 0; after.CPUSeconds <= before.CPUSeconds; sum++ {
		if sum%1_000_000 == 0 {
			after = ReadProcess()
		}
	}
	if after.UptimeSeconds <= before.UptimeSeconds || after.Goroutines < 1 {
		t.Errorf("%+v after %+v", after, before)
	}
	spent := after.CPUSeconds - before.CPUSeconds
	if took := time.Since(start).Seconds(); spent > took*float64(runtime.NumCPU())+0.1 {
		t.Errorf("%v s of CPU in %v s", spent, took)
	}
	b, err := json.Marshal(after)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cpu_seconds", "rss_bytes", "goroutines", "uptime_seconds"} {
		if !strings.Contains(string(b), `"`+name+`":`) {
			t.Errorf("no %s in %s", name, b)
		}
	}
}

// TestResidentMemory compares statm with status, both of the kernel.
func TestResidentMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		if got := residentMemory(); got != 0 {
			t.Errorf("%d where it is not available", got)
		}
		return
	}
	// Within a factor of two: memory may change between the two readings.
	if kb, got := vmRSS(t), residentMemory(); got < kb<<9 || got > kb<<11 {
		t.Errorf("%d bytes resident, but VmRSS is %d KB", got, kb)
	}
}

func vmRSS(t *testing.T) (kb uint64) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			if kb, err = strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64); err != nil {
				t.Fatal(err)
			}
		}
	}
	return kb
}

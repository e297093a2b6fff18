package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestParseThreshold(t *testing.T) {
	for _, c := range []struct{ text, kind, want string }{
		{"latency_p99<20ms", Comparison, " latency_p99 < 20 ms"},
		{"latency_p99<20", Comparison, " latency_p99 < 20 ms"},
		{" latency_max <= 1.5 s ", Comparison, " latency_max <= 1500 ms"},
		{"latency_p50<250us", Comparison, " latency_p50 < 0.25 ms"},
		{"latency_p50<250µs", Comparison, " latency_p50 < 0.25 ms"},
		{"lost==0", Comparison, " lost == 0 "},
		{"ws:cpu_per_million<=8s", Comparison, "ws cpu_per_million <= 8 s"},
		{"B: kib_per_connection<1MiB", Comparison, "B kib_per_connection < 1024 KiB"},
		{"wire_share<40%", Comparison, " wire_share < 40 %"},
		{"ticks_per_second>=1e5", Comparison, " ticks_per_second >= 100000 "},
		{"wire_per_tick>1KiB", Comparison, " wire_per_tick > 1024 B"},
		{"reconnect_p99<1s", DrillKind(DrillStorm), " reconnect_p99 < 1000 ms"},
		{"resumed_with_gap==0", DrillKind(DrillResume), " resumed_with_gap == 0 "},
		{"latency_p99<50ms", DrillKind(DrillSlow), " latency_p99 < 50 ms"},
	} {
		x, err := ParseThreshold(c.text, c.kind)
		if got := fmt.Sprintf("%s %s %s %g %s", x.Scope, x.Figure, x.Operator, x.Limit, x.Unit); err != nil || got != c.want {
			t.Errorf("%q: %q, %v; want %q", c.text, got, err, c.want)
		}
	}
	for _, c := range []struct {
		text, kind string
		want       []string
	}{
		{"", Comparison, []string{"no operator", "latency_p99<20ms"}},
		{"latency_p99", Comparison, []string{"no operator"}},
		{"latency_p9<20ms", Comparison, []string{`unknown figure "latency_p9"`, "did you mean latency_p90?", "figures of a comparison are latency_p50, ", "kib_per_connection", "lost", "dropped"}},
		{"p99<20ms", Comparison, []string{"did you mean latency_p99?"}},
		{"zebra<1", Comparison, []string{`unknown figure "zebra"; The figures`}},
		{"<1", Comparison, []string{`unknown figure ""`}},
		{"latency_p99<20ms", DrillKind(DrillStorm), []string{"unknown figure", "figures of a drill storm are reconnect_p50, "}},
		{"lost=0", Comparison, []string{"operator =;", "< <= == >= >"}},
		{"lost!=0", Comparison, []string{"operator !=;"}},
		{"lost<", Comparison, []string{`limit ""`}},
		{"lost<many", Comparison, []string{`limit "many"`}},
		{"lost<1,000", Comparison, []string{`limit "1,000"`}},
		{"lost<0x1p4", Comparison, []string{`limit "0x1p4"`}},
		{"lost<Inf", Comparison, []string{`limit "Inf"`}},
		{"lost<1ms", Comparison, []string{"unit ms; lost has none"}},
		{"latency_p99<20MB", Comparison, []string{"unit MB; latency_p99 is in ms, us, µs, s"}},
	} {
		_, err := ParseThreshold(c.text, c.kind)
		for _, part := range c.want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%q: %v; want %q", c.text, err, part)
			}
		}
	}
}

// withThresholds returns r judged by thresholds.
func withThresholds(t *testing.T, r *Report, texts ...string) *Report {
	t.Helper()
	for _, text := range texts {
		x, err := ParseThreshold(text, r.Kind)
		if err != nil {
			t.Fatal(err)
		}
		r.Thresholds = append(r.Thresholds, x)
	}
	r.Conclude()
	return r
}

func TestThresholds(t *testing.T) {
	for _, c := range []struct {
		text, want string // the figures that break it
	}{
		{"latency_p99<20ms", ""},
		{"cpu_per_million<9s", "SSE 10.1 s"},
		{"ws:cpu_per_million<9s", ""},
		{"A:cpu_per_million<9s", "SSE 10.1 s"},
		{"b:cpu_per_million<8.25", "WebSocket 8.25 s"},
		{"cpu_per_million<5", "SSE 10.1 s, WebSocket 8.25 s"},
		{"wire_per_tick==115", "SSE 157 B"},
		{"lost==0", ""},
		{"lost>0", "SSE 0, WebSocket 0"},
		{"dropped<=0", ""},
		{"wire_share<50%", "SSE not measured, WebSocket not measured"},
	} {
		r := withThresholds(t, twoVariants(), c.text)
		got := strings.Join(r.BrokenThresholds(), "; ")
		if want := c.text + " (" + c.want + ")"; c.want == "" && got != "" || c.want != "" && got != want {
			t.Errorf("%s: broken by %q, want %q", c.text, got, c.want)
		}
		if r.Thresholds[0].Held != (got == "") {
			t.Errorf("%s: held %v", c.text, r.Thresholds[0].Held)
		}
	}
}

// TestUnmeasuredBreaksThresholds: nothing is claimed of a figure that was not measured or doesn't show what the server can do.
func TestUnmeasuredBreaksThresholds(t *testing.T) {
	reports := allReports()
	for _, c := range []struct {
		report          string
		threshold, want string
	}{
		{"interrupted at once", "latency_p99<1h", ""}, // no such unit
		{"interrupted at once", "latency_p99<100s", "SSE, WebSocket not measured: nothing was measured"},
		{"interrupted at once", "lost==0", "SSE, WebSocket not measured: nothing was measured"},
		{"invalid", "A:latency_p99<100s", "SSE not measured: the test is invalid"},
		{"invalid", "lost==0", "held"}, // lost ticks are counted in every window
		{"four variants, failed", "latency_p99<100s", "not measured: the server failed in 1 of 5 windows: gaps"},
		{"four variants, failed", "cpu_per_million<100s", "held"},
		{"resume", "reconnect_p99<1us", "SSE 297 ms"},
		{"resume", "cut_before_hello==7", "held"},
		{"slow", "latency_p99<10ms", "SSE 10.01 ms"},
	} {
		r := reports[c.report]
		x, err := ParseThreshold(c.threshold, r.Kind)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s is no error", c.threshold)
			}
			continue
		}
		r.Thresholds = []Threshold{x}
		r.Conclude()
		got := strings.Join(append(r.BrokenThresholds(), r.reasons(r.Thresholds[0])...), "; ")
		if got == "" {
			got = "held"
		}
		if err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s, %s: %s, %v; want %s", c.report, c.threshold, got, err, c.want)
		}
	}
	broken := twoVariants()
	broken.Status, broken.Windows[0].Check.Lost = StatusBroken, 3
	withThresholds(t, broken, "latency_p99<1s", "lost==0")
	if all := strings.Join(append(broken.BrokenThresholds(), broken.reasons(broken.Thresholds[0])...), "; "); !strings.Contains(all, "void, since ticks were lost") || !strings.Contains(all, "lost==0 (SSE 3)") {
		t.Errorf("%s", all)
	}
	reused := twoVariants()
	for _, w := range reused.Windows {
		w.Server.KiBPerConn = nil
	}
	withThresholds(t, reused, "kib_per_connection<64KiB")
	if all := strings.Join(reused.reasons(reused.Thresholds[0]), "; "); !strings.Contains(all, "memory of earlier streams") {
		t.Errorf("%s", all)
	}
}

// TestExactly: a figure is shown with as many decimals as separate it from the limit.
func TestExactly(t *testing.T) {
	for _, c := range []struct {
		v, limit float64
		want     string
	}{{20.004, 20, "20.004"}, {19.9999, 20, "19.9999"}, {20, 20, "20"}, {8.953, 20, "8.95"}, {0, 0, "0"}, {1234, 0, "1,234"}} {
		if got := exactly(c.v, c.limit); got != c.want {
			t.Errorf("%v, %v: %s, want %s", c.v, c.limit, got, c.want)
		}
	}
}

// thresholdReport has thresholds that hold, are broken, and weren't measured.
func thresholdReport(t *testing.T) *Report {
	t.Helper()
	r := twoVariants()
	for _, w := range r.Windows {
		w.Server.KiBPerConn = nil
	}
	return withThresholds(t, r, "latency_p99<20ms", "cpu_per_million<=9s", "ws:wire_per_tick<120", "lost==0", "kib_per_connection<64KiB")
}

func TestThresholdsAreShown(t *testing.T) {
	r := thresholdReport(t)
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "thresholds.txt", b.String())
	page, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"<h2>Thresholds</h2>", "<code>cpu_per_million&lt;=9s</code>", "<b>10.1 s</b>", "<td align=\"right\">8.25 s</td>", "<b>threshold broken</b>",
		"SSE, WebSocket not measured: the server has memory of earlier streams", "2 of 5 thresholds are broken", `<td align="right">–</td><td align="right">115 B</td>`} {
		if !strings.Contains(string(page), part) {
			t.Errorf("the page lacks %s", part)
		}
	}
	text, err := json.Marshal(r.Thresholds[1])
	want := `{"threshold":"cpu_per_million\u003c=9s","figure":"cpu_per_million","operator":"\u003c=","limit":9,"unit":"s","held":false,"results":[{"variant":"A","value":10.1,"held":false},{"variant":"B","value":8.25,"held":true}]}`
	if err != nil || string(text) != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
	held := withThresholds(t, twoVariants(), "lost==0")
	if page, _ := held.HTML(); strings.Contains(string(page), "threshold broken") || !strings.Contains(string(page), "The threshold is held.") {
		t.Error("a threshold that is held is shown as broken")
	}
}

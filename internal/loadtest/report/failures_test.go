package report

import (
	"strings"
	"testing"

	"ticklane/internal/loadtest/stats"
)

// failedReport returns a report in which the server failed in some windows.
func failedReport(status string, check Check, windows ...int) *Report {
	r := twoVariants()
	return changed(r, func() {
		r.Status = status
		for _, k := range windows {
			w := r.Windows[k]
			w.Check, w.Valid, w.ServerFailures = check, false, []string{"the server sent 3 gaps"}
			w.Reasons = w.ServerFailures
		}
	})
}

// TestFailedServerHasNoLatency: the remaining windows are the server's better ones.
func TestFailedServerHasNoLatency(t *testing.T) {
	r := failedReport(StatusComplete, Check{Gaps: 3, GapTicks: 40}, 0)
	for _, m := range r.Metrics {
		if isLatency(m.Key) != (m.Verdict == stats.Suppressed) {
			t.Errorf("%s: %s", m.Key, m.Verdict)
		}
	}
	all := strings.Join(r.Findings, "\n")
	if !strings.Contains(all, "The server failed over SSE in 1 of 5 windows (in round 1 the server sent 3 gaps)") ||
		strings.Contains(all, "WebSocket in") || strings.Contains(all, "none was lost") || strings.Contains(all, "percentile") {
		t.Errorf("%s", all)
	}
	if strings.Contains(r.Headline, "faster") || !strings.Contains(r.Headline, "nothing is concluded about latency") {
		t.Errorf("%q", r.Headline)
	}

	r = failedReport(StatusInterrupted, Check{Lost: 7}, 0, 1)
	all = strings.Join(r.Findings, "\n")
	if !strings.HasPrefix(r.Headline, "Interrupted") || strings.Contains(all, "none was lost") || len(r.Findings) != 1 ||
		!strings.Contains(all, "WebSocket in 1 of 5") {
		t.Errorf("%q\n%s", r.Headline, all)
	}
	for _, m := range r.Metrics {
		if m.Verdict != stats.Suppressed {
			t.Errorf("%s after a loss: %s", m.Key, m.Verdict)
		}
	}
}

// TestBusyGeneratorIsNotTheServersFailure: a busy machine invalidates its window, and the verdicts stay.
func TestBusyGeneratorIsNotTheServersFailure(t *testing.T) {
	r := twoVariants()
	changed(r, func() { r.Windows[0].Valid, r.Windows[0].Reasons = false, []string{"the generator was the bottleneck"} })
	if m := r.metric("latency_p50"); m.Verdict == stats.Suppressed || !strings.Contains(strings.Join(r.Findings, "\n"), "such as a busy machine: SSE in 1 of 5") {
		t.Errorf("%s, %q", m.Verdict, r.Findings)
	}
}

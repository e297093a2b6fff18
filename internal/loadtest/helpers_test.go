package loadtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ticklane/internal/loadtest/report"
)

// smallOptions returns a comparison of some seconds. Its windows are long enough for ticks to arrive on a busy machine.
func smallOptions(t testing.TB, url string) Options {
	t.Helper()
	o := DefaultOptions()
	o.URL, o.Out = url, ""
	o.Conns, o.Rounds, o.Duration, o.Warmup, o.Ramp = 8, 2, 500*time.Millisecond, 50*time.Millisecond, 20*time.Millisecond
	return o
}

// run checks the options and runs the test. The report is nil if there is none.
func run(t testing.TB, o Options) (*report.Report, error) {
	t.Helper()
	return runContext(t, t.Context(), o)
}

func runContext(t testing.TB, ctx context.Context, o Options) (*report.Report, error) {
	t.Helper()
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	return Run(ctx, o)
}

// mustRun runs a test that must be complete, or invalid only because the machine is busy.
func mustRun(t testing.TB, o Options) *report.Report {
	t.Helper()
	r, err := run(t, o)
	if r == nil || err != nil && !errors.Is(err, ErrInvalid) {
		t.Fatal(err)
	}
	for _, w := range r.Windows {
		checkComplete(t, "variant "+w.Variant, w.Check, w.Reasons)
	}
	for _, d := range r.Drills {
		checkComplete(t, d.Name, d.Check, d.Reasons)
	}
	return r
}

// checkComplete fails the test if the protocol was violated or a reason is not the machine's.
func checkComplete(t testing.TB, name string, check report.Check, reasons []string) {
	t.Helper()
	if check.Broken() {
		t.Errorf("%s: %s", name, check.Violations())
	}
	for _, reason := range reasons {
		if !isMachine(reason, reasons) {
			t.Errorf("%s: %s", name, reason)
		}
	}
}

// isMachine reports whether a busy machine explains a reason: that it is the bottleneck, and ticks that are late then.
func isMachine(reason string, all []string) bool {
	busy := slices.ContainsFunc(all, func(r string) bool { return strings.Contains(r, "bottleneck") })
	return strings.Contains(reason, "bottleneck") || busy && strings.Contains(reason, "had not arrived")
}

// symbolsOf returns n symbols of a server.
func symbolsOf(t testing.TB, url string, n int) []string {
	t.Helper()
	target, err := newTarget(t.Context(), url, "*", "")
	if err != nil {
		t.Fatal(err)
	}
	defer target.close()
	var names []string
	for name := range target.Symbols {
		if names = append(names, name); len(names) == n {
			break
		}
	}
	return names
}

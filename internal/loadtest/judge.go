package loadtest

import (
	"fmt"
	"runtime"
)

// Limits of a valid window.
const (
	maxGeneratorShare = 0.90 // of all processors, used by the generator
	maxTotalShare     = 0.97 // of all processors, used by the generator and a server on the same machine
	maxForeignShare   = 0.05 // of the server's ticks, sent to other clients
)

// judge decides whether the window is valid. Completeness comes first: latency means nothing if ticks are missing.
func (m *measurement) judge(o *Options, t *target) {
	w := m.window
	invalid := func(format string, a ...any) { w.Reasons = append(w.Reasons, fmt.Sprintf(format, a...)) }
	serverFailed := func(format string, a ...any) {
		invalid(format, a...)
		w.ServerFailures = append(w.ServerFailures, fmt.Sprintf(format, a...))
	}
	if w.Check.Broken() {
		serverFailed("not delivered as promised: %s", w.Check.Violations())
	}
	if w.Check.Gaps > 0 || w.Check.Resets > 0 {
		serverFailed("the server sent %d gaps (%d ticks) and %d resets: it could not keep up", w.Check.Gaps, w.Check.GapTicks, w.Check.Resets)
	}
	if w.Late > 0 {
		serverFailed("%d ticks had not arrived %v after the window", w.Late, settleTimeout)
	}
	if w.Dropped > 0 {
		serverFailed("%d connections ended, the first because: %v", w.Dropped, m.dropErr)
	}
	if w.Latency.Count == 0 {
		invalid("no tick arrived in the window: is the feed running, and does it have the topics?")
	}
	if w.Latency.Early*1000 > w.Latency.Count {
		invalid("%d ticks arrived before they were due: the clocks differ", w.Latency.Early)
	}
	if reason := latenessReason(w.Generator); reason != "" {
		invalid("%s", reason)
	}
	generator := w.Generator.CPUShare
	total := generator
	if t.Loopback() {
		total += w.Server.CPUSeconds / w.Seconds / float64(runtime.NumCPU())
	}
	switch {
	case generator > maxGeneratorShare:
		invalid("the generator was the bottleneck: it used %.0f %% of all processors (at most %.0f %%)", generator*100, maxGeneratorShare*100)
	case total > maxTotalShare:
		invalid("the machine was the bottleneck: server and generator used %.0f %% of all processors (at most %.0f %%)", total*100, maxTotalShare*100)
	}
	var sent uint64
	others := -(o.Conns + o.SlowReaders)
	for lane, l := range m.after.Lanes {
		sent += l.Ticks - m.before.Lanes[lane].Ticks
		others += l.Connections
	}
	// For some time a server still counts the connections that churn closed.
	if others > 0 && o.Churn == 0 && sent > m.ticks && float64(sent-m.ticks) > maxForeignShare*float64(sent) {
		invalid("the server had %d other streams, which received %d of its %d ticks", others, sent-m.ticks, sent)
	}
	w.Valid = len(w.Reasons) == 0
}

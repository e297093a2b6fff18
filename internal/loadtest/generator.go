package loadtest

import (
	"fmt"
	"runtime"
	"time"

	"ticklane/internal/loadtest/report"
	"ticklane/internal/loadtest/stats"
)

// maxLateness bounds how late the generator's timer may fire (p99) in a valid window.
const maxLateness = 10 * time.Millisecond

// generatorUse returns what this process used in an interval of so many seconds.
func generatorUse(cpu time.Duration, seconds float64, l *stats.Lateness) report.Generator {
	return report.Generator{
		CPUSeconds: cpu.Seconds(), CPUShare: cpu.Seconds() / seconds / float64(runtime.NumCPU()),
		Lateness50: l.Percentile(50), Lateness99: l.Percentile(99), LatenessMax: l.Percentile(100),
	}
}

// latenessReason returns why a measurement is not the server's, empty if the generator ran on time.
func latenessReason(g report.Generator) string {
	late := time.Duration(g.Lateness99) * time.Microsecond
	if late <= maxLateness {
		return ""
	}
	cause := "the generator"
	if g.CPUShare < 0.5 {
		cause = "the machine, busy with something else,"
	}
	return fmt.Sprintf("%s was the bottleneck: the generator's own timer was late by %.1f ms (p99; at most %d ms)", cause,
		late.Seconds()*1000, maxLateness.Milliseconds())
}

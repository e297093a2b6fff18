package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"ticklane/internal/loadtest/stats"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-3*max(1, math.Abs(b)) }

// windowsOf returns windows in the order of the schedule with the given p50, in ms. A negative one is invalid.
func windowsOf(variants int, p50 ...float64) []*Window {
	var all []*Window
	for k, turn := range stats.Schedule(variants, len(p50)/variants) {
		w := &Window{Round: turn.Round, Variant: Letter(turn.Variant), Valid: p50[k] >= 0}
		w.Latency.P50 = int64(math.Abs(p50[k]) * 1000)
		all = append(all, w)
	}
	return all
}

func TestSummarize(t *testing.T) {
	// A B B A A B: A is 3, 3.2, 3.1; B is 1, 1.1, 1.2.
	m := metrics[0].summarize(windowsOf(2, 3, 1, 1.1, 3.2, 3.1, 1.2), 2)
	if m.A != (stats.Range{Median: 3.1, Min: 3, Max: 3.2, Count: 3}) || m.B != (stats.Range{Median: 1.1, Min: 1, Max: 1.2, Count: 3}) {
		t.Errorf("A %+v, B %+v", m.A, m.B)
	}
	if m.Difference.Pairs != 3 || !near(m.Difference.Mean, 2) {
		t.Errorf("difference %+v", m.Difference)
	}
	if m.Noise.Count != 2 || !near(m.Noise.Max, 0.1) {
		t.Errorf("noise %+v: want B B and A A, 0.1 each", m.Noise)
	}
	if m.Verdict != stats.Higher {
		t.Errorf("verdict %s", m.Verdict)
	}
}

// TestPairwise: each pair of variants that differ in one thing is compared, and judged by the noise of all.
func TestPairwise(t *testing.T) {
	r := fourVariants()
	var got []string
	for _, p := range r.Pairwise {
		m := p.metric("cpu_per_million")
		got = append(got, fmt.Sprintf("%s %s−%s %.1f %s", p.About, p.A, p.B, math.Abs(m.Difference.Mean), m.Verdict))
	}
	want := []string{"protocol A−C 3.0 A higher", "protocol B−D 0.0 no difference", "implementation A−B 6.0 A higher", "implementation C−D 3.0 A higher"}
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if m := r.metric("cpu_per_million"); len(m.Variants) != 4 || m.Variants[0] != m.A || m.Variants[1] != m.B || m.Noise.Count != 4 {
		t.Errorf("%+v", m)
	}
	for _, c := range []struct {
		a, b Variant
		want Topic
		ok   bool
	}{
		{Variant{Lane: "ws", Encoding: "json"}, Variant{Lane: "ws", Encoding: "protobuf"}, AboutEncoding, true},
		{Variant{Lane: "sse", Compression: "none"}, Variant{Lane: "sse", Compression: "gzip"}, AboutCompression, true},
		{Variant{Lane: "sse", Compression: "gzip"}, Variant{Lane: "ws", Compression: "permessage-deflate"}, AboutProtocol, true},
		{Variant{Lane: "sse", Compression: "gzip"}, Variant{Lane: "ws"}, "", false},
		{Variant{Lane: "ws", Path: "/x"}, Variant{Lane: "ws", Path: "/x"}, AboutNothing, true},
		{Variant{Lane: "ws", Path: "/x"}, Variant{Lane: "ws", Path: "/y"}, AboutNothing, false},
	} {
		if got, ok := topicOf(c.a, c.b); got != c.want && ok || ok != c.ok {
			t.Errorf("%+v, %+v: %s, %v", c.a, c.b, got, ok)
		}
	}
}

func TestSummarizeLeavesInvalidRoundsOut(t *testing.T) {
	// The second B is invalid: its round has no pair, and windows before and after it are not neighbours.
	windows := windowsOf(2, 3, 1, -50, 3.2, 3.1, 1.2)
	m := metrics[0].summarize(windows, 2)
	if m.Difference.Pairs != 2 || m.B.Max > 2 || m.Noise.Count != 1 || !near(m.Noise.Max, 0.1) {
		t.Errorf("%+v", m)
	}
	if n := validRounds(windows, 2); n != 2 {
		t.Errorf("%d valid rounds, want 2", n)
	}
}

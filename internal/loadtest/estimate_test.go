package loadtest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-3*max(1, math.Abs(b)) }

func TestRange(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Range
	}{
		{nil, Range{}},
		{[]float64{3}, Range{3, 3, 3, 1}},
		{[]float64{3, 1, 2}, Range{2, 1, 3, 3}},
		{[]float64{4, 1, 3, 2}, Range{2.5, 1, 4, 4}},
	} {
		if got := rangeOf(c.values); got != c.want {
			t.Errorf("%v: %+v", c.values, got)
		}
	}
}

// TestInterval holds the interval to one in print: the ten differences of extra sleep in Student's own paper (Biometrika
// 6, 1908; R's data set sleep): mean 1.58, 95 % from 0.70 to 2.46.
func TestInterval(t *testing.T) {
	got := pairedInterval([]float64{1.2, 2.4, 1.3, 1.3, 0, 1.0, 1.8, 0.8, 4.6, 1.4})
	if !near(got.Mean, 1.58) || !near(got.Low, 0.7001142) || !near(got.High, 2.4598858) || got.Pairs != 10 {
		t.Errorf("%+v", got)
	}
	if got := pairedInterval([]float64{5}); got.Pairs != 1 || got.Mean != 5 {
		t.Errorf("one pair: %+v", got)
	}
	if got := pairedInterval([]float64{2, 2, 2}); got != (Interval{2, 2, 2, 3}) {
		t.Errorf("equal differences: %+v", got)
	}
	if got := pairedInterval(nil); got != (Interval{}) {
		t.Errorf("none: %+v", got)
	}
}

func TestJudge(t *testing.T) {
	noise := Range{Median: 0.1, Min: 0.05, Max: 0.3, Count: 4}
	for _, c := range []struct {
		d     Interval
		noise Range
		want  Verdict
	}{
		{Interval{0.1, -0.2, 0.4, 5}, noise, NoDifference},
		{Interval{0.2, 0.1, 0.3, 5}, noise, NoDifference}, // away from zero, but inside the noise
		{Interval{2.0, 1.5, 2.5, 5}, noise, Higher},
		{Interval{-2.0, -2.5, -1.5, 5}, noise, Lower},
		{Interval{2.0, -0.5, 4.5, 5}, noise, NoDifference}, // large, but so is its error
		{Interval{2.0, 2.0, 2.0, 1}, noise, Unknown},
		{Interval{2.0, 1.5, 2.5, 5}, Range{}, Unknown}, // no A/A pair
		{Interval{0, 0, 0, 5}, Range{Count: 4}, NoDifference},
	} {
		if got := judge(c.d, c.noise); got != c.want {
			t.Errorf("%+v: %s, want %s", c.d, got, c.want)
		}
	}
}

func TestSchedule(t *testing.T) {
	var order string
	rounds := make(map[int]int)
	for _, turn := range schedule(2, 5) {
		order += sideName(turn.side)
		rounds[turn.round]++
	}
	if order != "ABBAABBAAB" {
		t.Errorf("order %s", order)
	}
	for r := 1; r <= 5; r++ {
		if rounds[r] != 2 {
			t.Errorf("round %d has %d slots", r, rounds[r])
		}
	}
	if got := schedule(1, 3); !slices.Equal(got, []turn{{1, 0}, {2, 0}, {3, 0}}) {
		t.Errorf("one side: %v", got)
	}
}

// TestScheduleOfMany: each round begins where the last ended, and in as many rounds as sides each side has each place once.
func TestScheduleOfMany(t *testing.T) {
	for sides := 3; sides <= maxSides; sides++ {
		at := make(map[[2]int]int) // side and place
		all := schedule(sides, sides)
		for k, turn := range all {
			at[[2]int{turn.side, k % sides}]++
			if turn.round != k/sides+1 {
				t.Errorf("%d sides: turn %d is of round %d", sides, k, turn.round)
			}
			if k > 0 && k%sides == 0 && turn.side != all[k-1].side {
				t.Errorf("%d sides: round %d begins with %d after %d", sides, turn.round, turn.side, all[k-1].side)
			}
		}
		if len(at) != sides*sides {
			t.Errorf("%d sides: %d of %d places taken", sides, len(at), sides*sides)
		}
	}
}

// slotsOf makes valid slots in the schedule's order whose p50 is given in ms; a negative one is invalid.
func slotsOf(sides int, p50 ...float64) []*Slot {
	var all []*Slot
	for k, at := range schedule(sides, len(p50)/sides) {
		s := &Slot{Round: at.round, Side: sideName(at.side), Valid: p50[k] >= 0}
		s.Latency.P50 = int64(math.Abs(p50[k]) * 1000)
		all = append(all, s)
	}
	return all
}

func TestSummarise(t *testing.T) {
	// A B B A A B: A is 3, 3.2, 3.1; B is 1, 1.1, 1.2.
	m := metrics[0].summarise(slotsOf(2, 3, 1, 1.1, 3.2, 3.1, 1.2), 2)
	if m.A != (Range{3.1, 3, 3.2, 3}) || m.B != (Range{1.1, 1, 1.2, 3}) {
		t.Errorf("A %+v, B %+v", m.A, m.B)
	}
	if m.Difference.Pairs != 3 || !near(m.Difference.Mean, 2) {
		t.Errorf("difference %+v", m.Difference)
	}
	if m.Noise.Count != 2 || !near(m.Noise.Max, 0.1) {
		t.Errorf("noise %+v: want B B and A A, 0.1 each", m.Noise)
	}
	if m.Verdict != Higher {
		t.Errorf("verdict %s", m.Verdict)
	}
}

// TestContrasts: five sides, of which two lanes share two engines; each pair that differs in one thing is told, and judged
// by the noise of all.
func TestContrasts(t *testing.T) {
	r := many()
	var got []string
	for _, c := range r.Contrasts {
		m := c.metric("cpu_per_million")
		got = append(got, fmt.Sprintf("%s %s−%s %.1f %s", c.About, c.A, c.B, math.Abs(m.Difference.Mean), m.Verdict))
	}
	want := []string{"protocol A−D 3.0 A higher", "protocol B−D 0.0 no difference", "protocol C−E 0.0 no difference", "implementation A−B 3.0 A higher",
		"implementation A−C 6.0 A higher", "implementation B−C 3.0 A higher", "implementation D−E 3.0 A higher"}
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if m := r.metric("cpu_per_million"); len(m.Sides) != 5 || m.Sides[0] != m.A || m.Sides[1] != m.B || m.Noise.Count != 4 {
		t.Errorf("%+v", m)
	}
	for _, c := range []struct {
		a, b SideInfo
		want Topic
		ok   bool
	}{
		{SideInfo{Lane: "ws", Encoding: "json"}, SideInfo{Lane: "ws", Encoding: "protobuf"}, AboutEncoding, true},
		{SideInfo{Lane: "sse", Compression: "none"}, SideInfo{Lane: "sse", Compression: "gzip"}, AboutCompression, true},
		{SideInfo{Lane: "sse", Compression: "gzip"}, SideInfo{Lane: "ws", Compression: "permessage-deflate"}, AboutProtocol, true},
		{SideInfo{Lane: "sse", Compression: "gzip"}, SideInfo{Lane: "ws"}, "", false},
		{SideInfo{Lane: "ws", Path: "/x"}, SideInfo{Lane: "ws", Path: "/x"}, AboutNothing, true},
		{SideInfo{Lane: "ws", Path: "/x"}, SideInfo{Lane: "ws", Path: "/y"}, AboutNothing, false},
		{SideInfo{Lane: "ws", Engine: "stream"}, SideInfo{Lane: "sse", Engine: "stream"}, AboutProtocol, true},
		{SideInfo{Lane: "ws", Engine: "shard"}, SideInfo{Lane: "sse", Engine: "stream"}, "", false},
	} {
		if got, ok := about(c.a, c.b); got != c.want && ok || ok != c.ok {
			t.Errorf("%+v, %+v: %s, %v", c.a, c.b, got, ok)
		}
	}
}

func TestSummariseLeavesInvalidRoundsOut(t *testing.T) {
	// The second B is invalid: its round has no pair, and no neighbours stand across it.
	slots := slotsOf(2, 3, 1, -50, 3.2, 3.1, 1.2)
	m := metrics[0].summarise(slots, 2)
	if m.Difference.Pairs != 2 || m.B.Max > 2 || m.Noise.Count != 1 || !near(m.Noise.Max, 0.1) {
		t.Errorf("%+v", m)
	}
	if n := validRounds(slots, 2); n != 2 {
		t.Errorf("%d valid rounds, want 2", n)
	}
}

func TestExchange(t *testing.T) {
	// The server is 1,000 µs ahead; 100 µs there, 100 µs back, 50 µs in between.
	if got := exchange(0, 1100, 1150, 250); got != (Clock{Offset: 1000, Error: 100, Used: true}) {
		t.Errorf("%+v", got)
	}
}

func TestRecovery(t *testing.T) {
	if recoveryOf(nil) != nil {
		t.Error("no times give a distribution")
	}
	r := recoveryOf(times(1, 1000))
	if r.P50 != 500 || r.P90 != 900 || r.P99 != 990 || r.Max != 1000 || len(r.Curve) > 200 {
		t.Errorf("%v %v %v %v, %d points", r.P50, r.P90, r.P99, r.Max, len(r.Curve))
	}
	if last := r.Curve[len(r.Curve)-1]; last != (Point{1000, 1000}) {
		t.Errorf("the curve ends at %+v", last)
	}
	if r := recoveryOf(times(1, 1)); r.P50 != 1 || r.P99 != 1 || len(r.Curve) != 1 {
		t.Errorf("one time: %+v", r)
	}
}

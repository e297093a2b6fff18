package main

import (
	"fmt"
	"math"
	"strings"
)

// Target is a goal of this project, and what was measured.
type Target struct {
	Name    string `json:"name"`
	Want    string `json:"want"`
	Found   string `json:"found"`
	Verdict string `json:"verdict"` // met, missed, not measured
}

// notMeasured is the verdict on a target without measurements.
const notMeasured = "not measured"

// lostTicks is the figure of a server that did not deliver every tick once, and so meets no target.
var lostTicks = math.Inf(1)

// judge computes every target from the measurements.
func (r *Result) judge(c Config) []Target {
	var out []Target
	add := func(name, want string, found float64, show string, ok bool) {
		t := Target{name, want, show, "missed"}
		switch {
		case math.IsNaN(found):
			t.Found, t.Verdict = "–", notMeasured
		case math.IsInf(found, 0):
			t.Found = "not every tick arrived once"
		case ok:
			t.Verdict = "met"
		}
		out = append(out, t)
	}
	most := func(name string, found, limit float64, show func(float64) string) {
		add(name, "≤ "+show(limit), found, show(found), found <= limit)
	}
	least := func(name string, found, limit float64) {
		add(name, "≥ "+count(limit)+"/s", found, count(found)+"/s", found >= limit)
	}
	times := func(v float64) string { return fmt.Sprintf("%.2f ×", v) }
	kib := func(v float64) string { return fmt.Sprintf("%.1f KiB", v) }
	percent := func(v float64) string { return fmt.Sprintf("%.1f %%", v) }

	// ratio returns a figure of a server over that of another in the same rounds.
	ratio := func(shape, to string, rate float64, f func(*Measurement) float64) float64 {
		a, b := r.find("paced", shape, "", rate, 0), r.find("paced", to, "", rate, 0)
		switch {
		case a == nil:
			return math.NaN()
		case !a.complete():
			return lostTicks
		case b == nil || !b.complete():
			return math.NaN() // nothing to compare with
		}
		return orNaN(a.ratios(b, f))
	}
	for _, lane := range []string{"sse", "ws"} {
		most("shard, "+lane+", one tick per write: CPU per tick over the baseline", ratio("ticklane-shard-"+lane, "baseline-"+lane, 25, (*Measurement).PerTick), 1.3, times)
	}
	most("shard, sse: CPU per tick over the usual Fiber recipe", ratio("ticklane-shard-sse", "fiber", 25, (*Measurement).PerTick), .65, times)
	most("shard, ws: CPU per tick over gorilla PreparedMessage", ratio("ticklane-shard-ws", "gorilla", 25, (*Measurement).PerTick), .7, times)
	most("stream, sse: CPU per tick over the usual Fiber recipe", ratio("ticklane-stream-sse", "fiber", 25, (*Measurement).PerTick), 1.05, times)
	for _, engine := range []string{"shard", "stream"} {
		for _, lane := range []string{"sse", "ws"} {
			found, shape := math.NaN(), "ticklane-"+engine+"-"+lane
			if best := r.best(shape, false); best != nil {
				found = best.of((*Measurement).Delivered).Median
			} else if r.best(shape, true) != nil {
				found = 0 // no rate was sustained
			}
			least(engine+", "+lane+": ticks delivered at saturation", found, map[string]float64{"shard": 1e6, "stream": 6e5}[engine])
		}
	}
	for _, lane := range []string{"sse", "ws"} {
		for _, rate := range []float64{25, 100} {
			most(fmt.Sprintf("shard, %s, %g ticks/s: p99 over the baseline's", lane, rate), ratio("ticklane-shard-"+lane, "baseline-"+lane, rate, p99), 1.3, times)
		}
	}
	for _, idle := range []struct {
		shape string
		limit float64
	}{{"shard-sse", 4}, {"shard-ws", 4}, {"stream-sse", 32}, {"stream-ws", 14}} {
		found := math.NaN()
		if row := r.find("idle", "ticklane-"+idle.shape, "", 0, 0); row != nil {
			if found = row.of((*Measurement).PerConn).Median / 1024; !row.complete() {
				found = lostTicks
			}
		}
		most(strings.Replace(idle.shape, "-", ", ", 1)+": memory of an idle connection", found, idle.limit, kib)
	}
	for _, name := range []string{"stream-sse", "stream-ws", "shard-sse", "shard-ws"} {
		r.judgeCompressed("ticklane-"+name, strings.Replace(name, "-", ", ", 1), most, percent, kib, times)
	}
	for _, name := range []string{"stream-sse", "stream-ws", "shard-sse", "shard-ws"} {
		found, limit := r.compareWithNoise("stalled", "ticklane-"+name, "ticklane-"+name, "none", "stalled", "none again", p99)
		most(strings.Replace(name, "-", ", ", 1)+": p99 of the others with a stalled client, against A/A", found, limit, times)
	}
	r.judgeGrowth(c, most, times)
	row := r.find("market", "ticklane-stream-sse", "", 0, 0)
	found := math.NaN()
	if row != nil {
		found = row.of(appended).Median
	}
	least("market: ticks appended without subscribers", found, .99*marketRate)
	if row != nil {
		found = 100 * row.of(core).Median
	}
	most("market: processor time, of one core", found, 100, percent)
	return out
}

func orNaN(s Spread) float64 {
	if s.N == 0 {
		return math.NaN()
	}
	return s.Median
}

// judgeGrowth compares many subscribers with few. The figure of the baseline grows too, with more sockets than the caches
// hold, but the target is the server's own figure.
func (r *Result) judgeGrowth(c Config, most func(string, float64, float64, func(float64) string), times func(float64) string) {
	few, many := growthSteps[0], c.steps()[len(c.steps())-1]
	base := Spread{}
	if a, b := r.find("growth", "baseline-mixed", "", 0, few), r.find("growth", "baseline-mixed", "", 0, many); a != nil && b != nil {
		base = b.ratios(a, (*Measurement).PerTick)
	}
	for _, engine := range []string{"stream", "shard"} {
		found := math.NaN()
		shape := "ticklane-" + engine + "-mixed"
		// With fewer open files the comparison is easier, and another one.
		if a, b := r.find("growth", shape, "", 0, few), r.find("growth", shape, "", 0, many); a != nil && b != nil && many > growthSteps[len(growthSteps)-1]*9/10 {
			if found = orNaN(b.ratios(a, (*Measurement).PerTick)); !a.complete() || !b.complete() {
				found = lostTicks
			}
		}
		show := func(v float64) string {
			if v == found && base.N > 0 {
				return times(v) + " (the baseline: " + base.times() + ")"
			}
			return times(v)
		}
		most(fmt.Sprintf("%s: CPU per tick, %s subscribers over %d", engine, count(float64(many)), few), found, 1.3, show)
	}
}

// compareWithNoise returns the ratio of a variant to its base, and as its limit the noise: the largest ratio of two equal
// measurements in a round, in either direction.
func (r *Result) compareWithNoise(experiment, base, shape, baseline, variant, again string, f func(*Measurement) float64) (found, limit float64) {
	a, b, c := r.find(experiment, base, baseline, 0, 0), r.find(experiment, shape, variant, 0, 0), r.find(experiment, base, again, 0, 0)
	if a == nil || b == nil || c == nil {
		return math.NaN(), 1
	}
	aa := c.ratios(a, f)
	if aa.N == 0 {
		return math.NaN(), 1
	}
	limit = max(aa.Max, 1/aa.Min)
	if !a.complete() || !b.complete() || !c.complete() {
		return lostTicks, limit
	}
	return orNaN(b.ratios(a, f)), limit
}

func (r *Result) judgeCompressed(shape, name string, most func(string, float64, float64, func(float64) string), percent, kib, times func(float64) string) {
	for _, v := range []struct {
		suffix string
		limit  float64
	}{{"", 38}, {", 8 per message", 26}} {
		found := math.NaN()
		if a, b := r.find("compress", shape, "uncompressed"+v.suffix, 0, 0), r.find("compress", shape+"-z", "compressed"+v.suffix, 0, 0); a != nil && b != nil {
			if found = 100 * orNaN(b.ratios(a, (*Measurement).BytesPerTick)); !a.complete() || !b.complete() {
				found = lostTicks
			}
		}
		most(name+v.suffix+": bytes, compressed over uncompressed", found, v.limit, percent)
		cpu, limit := r.compareWithNoise("compress", shape, shape+"-z", "uncompressed"+v.suffix, "compressed"+v.suffix, "uncompressed again"+v.suffix, (*Measurement).PerTick)
		most(name+v.suffix+": CPU per tick, compressed over uncompressed, against A/A", cpu, limit, times)
	}
	found := math.NaN()
	if a, b := r.find("compress", shape, "uncompressed", 0, 0), r.find("compress", shape+"-z", "compressed", 0, 0); a != nil && b != nil {
		if found = (b.of((*Measurement).PerConn).Median - a.of((*Measurement).PerConn).Median) / 1024; !a.complete() || !b.complete() {
			found = lostTicks
		}
	}
	most(name+": memory that compression adds to a connection", found, 1, kib)
}

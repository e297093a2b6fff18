package main

import (
	"fmt"
	"math"
	"strings"
)

// Target is what this project wants to reach, and what this run found.
type Target struct {
	Name    string `json:"name"`
	Want    string `json:"want"`
	Found   string `json:"found"`
	Verdict string `json:"verdict"` // met, missed, not measured
}

// notMeasured is the verdict on a target of which this run knows nothing.
const notMeasured = "not measured"

// lostTicks is what is found of a server that didn't bring every tick once: it reaches no target.
var lostTicks = math.Inf(1)

// judge computes every target from the slots.
func (r *Result) judge(c Config) []Target {
	var out []Target
	add := func(name, want string, found float64, show string, ok bool) {
		t := Target{name, want, show, "missed"}
		switch {
		case math.IsNaN(found):
			t.Found, t.Verdict = "–", notMeasured
		case math.IsInf(found, 0):
			t.Found = "not every tick came once"
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

	// ratio of two servers in the same rounds.
	ratio := func(shape, to string, rate float64, f func(*Slot) float64) float64 {
		a, b := r.find("paced", shape, "", rate, 0), r.find("paced", to, "", rate, 0)
		switch {
		case a == nil:
			return math.NaN()
		case !a.whole():
			return lostTicks
		case b == nil || !b.whole():
			return math.NaN() // nothing to compare with
		}
		return orNaN(a.ratios(b, f))
	}
	for _, lane := range []string{"sse", "ws"} {
		most("shard, "+lane+", one tick a write: CPU a tick over the floor", ratio("ticklane-shard-"+lane, "floor-"+lane, 25, (*Slot).PerTick), 1.3, times)
	}
	most("shard, sse: CPU a tick over the usual Fiber recipe", ratio("ticklane-shard-sse", "fiber", 25, (*Slot).PerTick), .65, times)
	most("shard, ws: CPU a tick over gorilla PreparedMessage", ratio("ticklane-shard-ws", "gorilla", 25, (*Slot).PerTick), .7, times)
	most("stream, sse: CPU a tick over the usual Fiber recipe", ratio("ticklane-stream-sse", "fiber", 25, (*Slot).PerTick), .85, times)
	for _, engine := range []string{"shard", "stream"} {
		for _, lane := range []string{"sse", "ws"} {
			found, shape := math.NaN(), "ticklane-"+engine+"-"+lane
			if best := r.best(shape, false); best != nil {
				found = best.of((*Slot).Delivered).Median
			} else if r.best(shape, true) != nil {
				found = 0 // no rate was sustained
			}
			least(engine+", "+lane+": ticks delivered at saturation", found, map[string]float64{"shard": 1e6, "stream": 6e5}[engine])
		}
	}
	for _, lane := range []string{"sse", "ws"} {
		for _, rate := range []float64{25, 100} {
			most(fmt.Sprintf("shard, %s, %g ticks/s: p99 over the floor's", lane, rate), ratio("ticklane-shard-"+lane, "floor-"+lane, rate, p99), 1.3, times)
		}
	}
	for _, idle := range []struct {
		shape string
		limit float64
	}{{"shard-sse", 4}, {"shard-ws", 4}, {"stream-sse", 24}, {"stream-ws", 14}} {
		found := math.NaN()
		if row := r.find("idle", "ticklane-"+idle.shape, "", 0, 0); row != nil {
			if found = row.of((*Slot).PerConn).Median / 1024; !row.whole() {
				found = lostTicks
			}
		}
		most(strings.Replace(idle.shape, "-", ", ", 1)+": memory of an idle connection", found, idle.limit, kib)
	}
	for _, name := range []string{"stream-sse", "stream-ws", "shard-sse", "shard-ws"} {
		r.judgeCompressed("ticklane-"+name, strings.Replace(name, "-", ", ", 1), most, percent, kib, times)
	}
	for _, name := range []string{"stream-sse", "stream-ws", "shard-sse", "shard-ws"} {
		found, limit := r.againstAgain("stalled", "ticklane-"+name, "ticklane-"+name, "none", "stalled", "none again", p99)
		most(strings.Replace(name, "-", ", ", 1)+": others' p99 beside a stalled client, against A/A", found, limit, times)
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

// judgeGrowth compares many subscribers with few. The floor grows as well: more sockets than the caches hold. The target
// is the server's own figure all the same.
func (r *Result) judgeGrowth(c Config, most func(string, float64, float64, func(float64) string), times func(float64) string) {
	few, many := growthSteps[0], c.steps()[len(c.steps())-1]
	floor := Spread{}
	if a, b := r.find("growth", "floor-mixed", "", 0, few), r.find("growth", "floor-mixed", "", 0, many); a != nil && b != nil {
		floor = b.ratios(a, (*Slot).PerTick)
	}
	for _, engine := range []string{"stream", "shard"} {
		found := math.NaN()
		shape := "ticklane-" + engine + "-mixed"
		// With few open files this is another, easier question.
		if a, b := r.find("growth", shape, "", 0, few), r.find("growth", shape, "", 0, many); a != nil && b != nil && many > growthSteps[len(growthSteps)-1]*9/10 {
			if found = orNaN(b.ratios(a, (*Slot).PerTick)); !a.whole() || !b.whole() {
				found = lostTicks
			}
		}
		show := func(v float64) string {
			if v == found && floor.N > 0 {
				return times(v) + " (the floor: " + floor.times() + ")"
			}
			return times(v)
		}
		most(fmt.Sprintf("%s: CPU a tick, %s subscribers over %d", engine, count(float64(many)), few), found, 1.3, show)
	}
}

// againstAgain compares a variant with its base, and gives the A/A difference as the limit: the largest that two equal
// slots of a round showed, either way.
func (r *Result) againstAgain(experiment, base, shape, baseline, variant, again string, f func(*Slot) float64) (found, limit float64) {
	a, b, c := r.find(experiment, base, baseline, 0, 0), r.find(experiment, shape, variant, 0, 0), r.find(experiment, base, again, 0, 0)
	if a == nil || b == nil || c == nil {
		return math.NaN(), 1
	}
	aa := c.ratios(a, f)
	if aa.N == 0 {
		return math.NaN(), 1
	}
	limit = max(aa.Most, 1/aa.Least)
	if !a.whole() || !b.whole() || !c.whole() {
		return lostTicks, limit
	}
	return orNaN(b.ratios(a, f)), limit
}

func (r *Result) judgeCompressed(shape, name string, most func(string, float64, float64, func(float64) string), percent, kib, times func(float64) string) {
	for _, v := range []struct {
		suffix string
		limit  float64
	}{{"", 38}, {", 8 a message", 26}} {
		found := math.NaN()
		if a, b := r.find("compress", shape, "plain"+v.suffix, 0, 0), r.find("compress", shape+"-z", "compressed"+v.suffix, 0, 0); a != nil && b != nil {
			if found = 100 * orNaN(b.ratios(a, (*Slot).BytesPerTick)); !a.whole() || !b.whole() {
				found = lostTicks
			}
		}
		most(name+v.suffix+": compressed bytes of plain's", found, v.limit, percent)
		cpu, limit := r.againstAgain("compress", shape, shape+"-z", "plain"+v.suffix, "compressed"+v.suffix, "plain again"+v.suffix, (*Slot).PerTick)
		most(name+v.suffix+": compressed CPU a tick over plain's, against A/A", cpu, limit, times)
	}
	found := math.NaN()
	if a, b := r.find("compress", shape, "plain", 0, 0), r.find("compress", shape+"-z", "compressed", 0, 0); a != nil && b != nil {
		if found = (b.of((*Slot).PerConn).Median - a.of((*Slot).PerConn).Median) / 1024; !a.whole() || !b.whole() {
			found = lostTicks
		}
	}
	most(name+": memory that compression adds to a connection", found, 1, kib)
}

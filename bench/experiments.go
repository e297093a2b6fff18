package main

import (
	"math"
	"slices"
	"time"
)

// Experiment is one question.
type Experiment struct {
	Name    string
	About   string
	Servers string             // those that it is asked of, unless -servers names others
	only    func(s Shape) bool // those that it can be asked of; nil: all
	subs    func(c Config) int // its subscribers; nil: none, or what the limit of open files leaves
	run     func(r *Runner, list []Shape)
	takes   func(c Config, n int) time.Duration // for n servers
}

const (
	inField   = "floor-sse,fiber,net/http,r3labs,tmaxmax,ticklane-stream-sse,ticklane-shard-sse,floor-ws,gorilla,gobwas,fasthttp-ws,coder,ticklane-stream-ws,ticklane-shard-ws"
	withBatch = "floor-sse,floor-ws,floor-join-sse,floor-join-ws,fiber,net/http,r3labs,tmaxmax,gorilla,gobwas,fasthttp-ws,coder,ticklane-stream-sse,ticklane-shard-sse,ticklane-stream-ws,ticklane-shard-ws"
	plain     = "ticklane-stream-sse,ticklane-shard-sse,ticklane-stream-ws,ticklane-shard-ws"
)

var experiments = []Experiment{
	{Name: "paced", About: "processor time and latency of a delivered tick, at rates that leave every server time",
		Servers: inField + ",ticklane-stream-ws-pb,ticklane-shard-ws-pb", subs: ofSubs, run: paced,
		takes: func(c Config, n int) time.Duration {
			return time.Duration(n*c.Rounds*len(c.Rates)) * (c.Warm + c.Window + overhead(c.Subs))
		}},
	{Name: "saturation", About: "the most ticks a second: the rate is raised until no more are delivered; sustained: every tick once, 95 % of what was due, p99 below a second",
		Servers: withBatch, subs: ofSubs, run: saturation,
		takes: func(c Config, n int) time.Duration {
			return time.Duration(n*(7+c.Rounds)) * (c.Warm + c.Window + overhead(c.Subs))
		}},
	{Name: "idle", About: "memory of a connection on which next to nothing happens",
		Servers: inField, subs: func(c Config) int { return c.Idle }, run: idle,
		takes: func(c Config, n int) time.Duration { return time.Duration(n) * (8*time.Second + overhead(c.Idle)) }},
	{Name: "compress", About: "bytes, processor time and memory of compressed streams against plain ones",
		Servers: plain, only: canCompress, subs: ofSubs, run: compress,
		takes: func(c Config, n int) time.Duration {
			return time.Duration(n*c.Rounds) * 6 * (max(compressWarm, c.Warm) + c.Window + overhead(c.Subs))
		}},
	{Name: "stalled", About: "what one client that never reads costs the others",
		Servers: plain + ",tmaxmax", subs: ofSubs, run: stalled,
		takes: func(c Config, n int) time.Duration {
			return time.Duration(n*c.Rounds) * 3 * (stallWarm + 2*c.Window + overhead(c.Subs))
		}},
	{Name: "growth", About: "processor time of a delivered tick from 100 to 20,000 subscribers on both lanes, 25,000 deliveries/s",
		Servers: "floor-mixed,ticklane-stream-mixed,ticklane-shard-mixed", run: growth,
		takes: func(c Config, n int) time.Duration {
			t := time.Duration(0)
			for _, subs := range c.steps() {
				t += max(c.Warm, 2*time.Second) + 2*c.Window + overhead(subs)
			}
			return time.Duration(n*c.Rounds) * t
		}},
	{Name: "market", About: "500,000 ticks a second appended, no subscribers",
		Servers: "ticklane-stream-sse", only: isTicklane, run: marketOnly,
		takes: func(c Config, n int) time.Duration {
			return time.Duration(n*c.Rounds) * (c.Warm + 2*c.Window + time.Second)
		}},
}

func ofSubs(c Config) int { return c.Subs }

func isTicklane(s Shape) bool { return s.Kind == "ticklane" }

// canCompress is a Ticklane that doesn't yet: the experiment does both.
func canCompress(s Shape) bool { return isTicklane(s) && !s.Compress && s.Lane != "mixed" }

func paced(r *Runner, list []Shape) {
	for _, rate := range r.Config.Rates {
		r.rounds(r.Config.Rounds, list, func(round int, s Shape) {
			r.slot("paced", "", round, Plan{Shape: s, Options: Options{Rate: rate}, Subs: r.Config.Subs, Warm: r.Config.Warm, Window: r.Config.Window})
		})
	}
}

// Rates of the market at saturation: 1,000 subscribers make a thousand deliveries of each tick.
const (
	firstRate = 62.5
	lastRate  = 64_000
)

// A rate counts as sustained up to this p99, and from this share of what was due. A server that gets less falls behind
// for ever, though in a short window not by a second yet; and what a window sees beyond it is partly what queues held.
const (
	patience = time.Second
	keepsUp  = .95
)

// sustained says that a server kept up: every tick once, and none for long in a queue.
func (s *Slot) sustained() bool {
	return s.Counts != nil && s.Counts.Whole() && time.Duration(s.P99)*time.Microsecond < patience && s.Delivered() >= keepsUp*s.Rate*float64(s.Subs)
}

func saturation(r *Runner, list []Shape) {
	measure := func(round int, s Shape, rate float64) *Slot {
		return r.slot("saturation", "", round, Plan{Shape: s, Options: Options{Rate: rate}, Subs: r.Config.Subs, Warm: r.Config.Warm, Window: r.Config.Window})
	}
	kept := map[string]float64{}
	r.rounds(r.Config.Rounds, list, func(round int, s Shape) {
		if round == 1 {
			kept[s.Name] = mostSustained(func(rate float64) *Slot { return measure(1, s, rate) })
		} else if kept[s.Name] > 0 {
			measure(round, s, kept[s.Name])
		}
	})
}

// mostSustained searches the highest rate that is sustained: by doubling, until no more is delivered, then in two steps
// between that rate and its double.
func mostSustained(try func(rate float64) *Slot) (kept float64) {
	best := 0.0
	for rate := firstRate; rate <= lastRate; rate *= 2 {
		slot := try(rate)
		if slot == nil {
			return kept
		}
		if slot.sustained() {
			kept = rate
		}
		if slot.Delivered() < 1.1*best {
			break
		}
		best = slot.Delivered()
	}
	for step := math.Sqrt2; kept > 0 && step > 1.1; step = math.Sqrt(step) {
		slot := try(kept * step)
		if slot == nil {
			break
		}
		if slot.sustained() {
			kept *= step
		}
	}
	return kept
}

// idleRate writes to each connection now and then, so that what a write needs is in the figure.
const idleRate = .5

func idle(r *Runner, list []Shape) {
	for _, s := range list {
		r.slot("idle", "", 1, Plan{Shape: s, Options: Options{Rate: idleRate}, Subs: r.Config.Idle, Warm: 6 * time.Second, Window: 2 * time.Second})
	}
}

// compressWarm lets every stream come into step: until the first keyframe, which comes some 8 KiB of text after a newcomer,
// three seconds at 25 ticks/s, he gets blocks of his own that compress little.
const compressWarm = 5 * time.Second

// batch is how compressed batches of 8 come about: the market at 200 ticks/s, woken each 40 ms.
const (
	batchRate  = 200
	batchFlush = "--stream.flush_interval=40ms"
)

func compress(r *Runner, list []Shape) {
	r.rounds(r.Config.Rounds, list, func(round int, s Shape) {
		z := s
		z.Name, z.Compress = s.Name+"-z", true
		for _, batches := range []bool{false, true} {
			o, suffix := Options{Rate: 25}, ""
			if batches {
				o, suffix = Options{Rate: batchRate, Flags: []string{batchFlush}}, ", 8 a message"
			}
			p := Plan{Options: o, Subs: r.Config.Subs, Warm: max(compressWarm, r.Config.Warm), Window: r.Config.Window}
			for _, v := range []struct {
				s    Shape
				name string
			}{{s, "plain"}, {z, "compressed"}, {s, "plain again"}} {
				p.Shape = v.s
				r.slot("compress", v.name+suffix, round, p)
			}
		}
	})
}

// A stalled client's socket must be full before the window: small buffers on both ends, and some seconds.
const (
	stallBuffer = 16 << 10
	stallRate   = 50
	stallWarm   = 6 * time.Second
)

func stalled(r *Runner, list []Shape) {
	r.rounds(r.Config.Rounds, list, func(round int, s Shape) {
		for _, v := range []string{"none", "stalled", "none again"} {
			r.slot("stalled", v, round, Plan{Shape: s, Options: Options{Rate: stallRate, SndBuf: stallBuffer}, Subs: r.Config.Subs - 1, Stalled: v == "stalled",
				Warm: stallWarm, Window: 2 * r.Config.Window})
		}
	})
}

// growthSteps have the same deliveries a second: ten times the subscribers get a tenth of the ticks.
var growthSteps = []int{100, 1000, 5000, 20000}

const growthDeliveries = 25_000

// steps are those of growth that the limit of open files leaves.
func (c Config) steps() []int {
	var out []int
	for _, n := range growthSteps {
		out = append(out, min(n, c.Most))
	}
	return slices.Compact(out)
}

func growth(r *Runner, list []Shape) {
	for _, subs := range r.Config.steps() {
		r.rounds(r.Config.Rounds, list, func(round int, s Shape) {
			rate := float64(growthDeliveries) / float64(subs)
			r.slot("growth", "", round, Plan{Shape: s, Options: Options{Rate: rate}, Subs: subs, Warm: max(r.Config.Warm, 2*time.Second), Window: 2 * r.Config.Window})
		})
	}
}

const marketRate = 500_000

// marketOnly has no subscribers, so a slot's ticks are the log's growth.
func marketOnly(r *Runner, list []Shape) {
	r.rounds(r.Config.Rounds, list, func(round int, s Shape) {
		if r.over() {
			return
		}
		slot, err := r.House.market(r.ctx, s, r.Config)
		if r.over() {
			return
		}
		slot.Experiment, slot.Round = "market", round
		if why, ok := unavailable(err); ok {
			slot.Missing = why
		} else if err != nil {
			r.failed = err
			return
		}
		r.Result.add(slot)
		r.measured++
		r.tellMarket(slot)
		if err := r.save(); err != nil {
			r.failed = err
		}
	})
}

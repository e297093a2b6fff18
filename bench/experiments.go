package main

import (
	"math"
	"slices"
	"time"
)

// Experiment answers one question.
type Experiment struct {
	Name    string
	About   string
	Servers string             // patterns of the servers, unless -servers names others
	only    func(s Spec) bool  // which servers it suits; nil: all
	subs    func(c Config) int // its subscribers; nil: none, or as many as the limit of open files allows
	run     func(r *Runner, list []Spec)
	takes   func(c Config, n int) time.Duration // time for n servers
}

const (
	comparison = "baseline-sse,fiber,net/http,r3labs,tmaxmax,ticklane-stream-sse,ticklane-shard-sse,baseline-ws,gorilla,gobwas,fasthttp-ws,coder,ticklane-stream-ws,ticklane-shard-ws"
	withBatch  = "baseline-sse,baseline-ws,baseline-join-sse,baseline-join-ws,fiber,net/http,r3labs,tmaxmax,gorilla,gobwas,fasthttp-ws,coder,ticklane-stream-sse,ticklane-shard-sse,ticklane-stream-ws,ticklane-shard-ws"
	plain      = "ticklane-stream-sse,ticklane-shard-sse,ticklane-stream-ws,ticklane-shard-ws"
)

var experiments = []Experiment{
	{Name: "paced", About: "CPU time and latency of a delivered tick, at rates at which every server is idle at times",
		Servers: comparison + ",ticklane-stream-ws-pb,ticklane-shard-ws-pb", subs: ofSubs, run: paced,
		takes: func(c Config, n int) time.Duration {
			return time.Duration(n*c.Rounds*len(c.Rates)) * (c.Warm + c.Window + overhead(c.Subs))
		}},
	{Name: "saturation", About: "the most ticks/s: the rate is raised until no more are delivered; sustained means every tick once, 95 % of what was due, p99 below a second",
		Servers: withBatch, subs: ofSubs, run: saturation,
		takes: func(c Config, n int) time.Duration {
			return time.Duration(n*(7+c.Rounds)) * (c.Warm + c.Window + overhead(c.Subs))
		}},
	{Name: "idle", About: "memory per connection with hardly any ticks",
		Servers: comparison, subs: func(c Config) int { return c.Idle }, run: idle,
		takes: func(c Config, n int) time.Duration { return time.Duration(n) * (8*time.Second + overhead(c.Idle)) }},
	{Name: "compress", About: "bytes, CPU time and memory of compressed streams against uncompressed ones",
		Servers: plain, only: canCompress, subs: ofSubs, run: compress,
		takes: func(c Config, n int) time.Duration {
			return time.Duration(n*c.Rounds) * 6 * (max(compressWarm, c.Warm) + c.Window + overhead(c.Subs))
		}},
	{Name: "stalled", About: "effect of one client that never reads on the others",
		Servers: plain + ",tmaxmax", subs: ofSubs, run: stalled,
		takes: func(c Config, n int) time.Duration {
			return time.Duration(n*c.Rounds) * 3 * (stallWarm + 2*c.Window + overhead(c.Subs))
		}},
	{Name: "growth", About: "CPU time of a delivered tick from 100 to 20,000 subscribers on both lanes, 25,000 deliveries/s",
		Servers: "baseline-mixed,ticklane-stream-mixed,ticklane-shard-mixed", run: growth,
		takes: func(c Config, n int) time.Duration {
			t := time.Duration(0)
			for _, subs := range c.steps() {
				t += max(c.Warm, 2*time.Second) + 2*c.Window + overhead(subs)
			}
			return time.Duration(n*c.Rounds) * t
		}},
	{Name: "market", About: "500,000 ticks/s appended, no subscribers",
		Servers: "ticklane-stream-sse", only: isTicklane, run: marketOnly,
		takes: func(c Config, n int) time.Duration {
			return time.Duration(n*c.Rounds) * (c.Warm + 2*c.Window + time.Second)
		}},
}

func ofSubs(c Config) int { return c.Subs }

func isTicklane(s Spec) bool { return s.Kind == "ticklane" }

// canCompress reports whether a server is an uncompressed Ticklane: the experiment measures both.
func canCompress(s Spec) bool { return isTicklane(s) && !s.Compress && s.Lane != "mixed" }

func paced(r *Runner, list []Spec) {
	for _, rate := range r.Config.Rates {
		r.rounds(r.Config.Rounds, list, func(round int, s Spec) {
			r.measure("paced", "", round, Plan{Spec: s, Options: Options{Rate: rate}, Subs: r.Config.Subs, Warm: r.Config.Warm, Window: r.Config.Window})
		})
	}
}

// Rates of the market at saturation, in ticks/s: with 1,000 subscribers each tick is delivered a thousand times.
const (
	firstRate = 62.5
	lastRate  = 64_000
)

// A rate is sustained up to this p99 and from this share of what was due. A server that delivers less falls behind without
// limit, even if by less than a second in a short window.
const (
	maxSustainedP99 = time.Second
	minDelivered    = .95
)

// sustained reports whether the server kept up: every tick once, and none long in a queue.
func (s *Measurement) sustained() bool {
	return s.Counts != nil && s.Counts.Complete() && time.Duration(s.P99)*time.Microsecond < maxSustainedP99 && s.Delivered() >= minDelivered*s.Rate*float64(s.Subs)
}

func saturation(r *Runner, list []Spec) {
	measure := func(round int, s Spec, rate float64) *Measurement {
		return r.measure("saturation", "", round, Plan{Spec: s, Options: Options{Rate: rate}, Subs: r.Config.Subs, Warm: r.Config.Warm, Window: r.Config.Window})
	}
	sustained := map[string]float64{}
	r.rounds(r.Config.Rounds, list, func(round int, s Spec) {
		if round == 1 {
			sustained[s.Name] = highestSustained(func(rate float64) *Measurement { return measure(1, s, rate) })
		} else if sustained[s.Name] > 0 {
			measure(round, s, sustained[s.Name])
		}
	})
}

// highestSustained returns the highest rate that is sustained, 0 if none is. It doubles the rate until no more is delivered,
// then tries two steps between the highest sustained rate and its double.
func highestSustained(try func(rate float64) *Measurement) (highest float64) {
	best := 0.0
	for rate := firstRate; rate <= lastRate; rate *= 2 {
		m := try(rate)
		if m == nil {
			return highest
		}
		if m.sustained() {
			highest = rate
		}
		if m.Delivered() < 1.1*best {
			break
		}
		best = m.Delivered()
	}
	for step := math.Sqrt2; highest > 0 && step > 1.1; step = math.Sqrt(step) {
		m := try(highest * step)
		if m == nil {
			break
		}
		if m.sustained() {
			highest *= step
		}
	}
	return highest
}

// idleRate is low but not 0, so that the memory of a write is included. In ticks/s.
const idleRate = .5

func idle(r *Runner, list []Spec) {
	for _, s := range list {
		r.measure("idle", "", 1, Plan{Spec: s, Options: Options{Rate: idleRate}, Subs: r.Config.Idle, Warm: 6 * time.Second, Window: 2 * time.Second})
	}
}

// compressWarm is long enough for every stream to synchronize with its shared encoder: until the first keyframe, about
// 8 KiB of text after it joins and three seconds at 25 ticks/s, it receives blocks that compress little.
const compressWarm = 5 * time.Second

// Messages of 8 ticks: a market of 200 ticks/s, flushed every 40 ms.
const (
	batchRate  = 200
	batchFlush = "--stream.flush_interval=40ms"
)

func compress(r *Runner, list []Spec) {
	r.rounds(r.Config.Rounds, list, func(round int, s Spec) {
		z := s
		z.Name, z.Compress = s.Name+"-z", true
		for _, batches := range []bool{false, true} {
			o, suffix := Options{Rate: 25}, ""
			if batches {
				o, suffix = Options{Rate: batchRate, Flags: []string{batchFlush}}, ", 8 per message"
			}
			p := Plan{Options: o, Subs: r.Config.Subs, Warm: max(compressWarm, r.Config.Warm), Window: r.Config.Window}
			for _, v := range []struct {
				s    Spec
				name string
			}{{s, "uncompressed"}, {z, "compressed"}, {s, "uncompressed again"}} {
				p.Spec = v.s
				r.measure("compress", v.name+suffix, round, p)
			}
		}
	})
}

// The socket of a stalled client must be full before the window, hence small buffers on both ends and a long warm-up.
const (
	stallBuffer = 16 << 10
	stallRate   = 50
	stallWarm   = 6 * time.Second
)

func stalled(r *Runner, list []Spec) {
	r.rounds(r.Config.Rounds, list, func(round int, s Spec) {
		for _, v := range []string{"none", "stalled", "none again"} {
			r.measure("stalled", v, round, Plan{Spec: s, Options: Options{Rate: stallRate, SndBuf: stallBuffer}, Subs: r.Config.Subs - 1, Stalled: v == "stalled",
				Warm: stallWarm, Window: 2 * r.Config.Window})
		}
	})
}

// growthSteps have the same deliveries/s: ten times the subscribers receive a tenth of the ticks.
var growthSteps = []int{100, 1000, 5000, 20000}

const growthDeliveries = 25_000

// steps returns the steps of growth, limited by the open files.
func (c Config) steps() []int {
	var out []int
	for _, n := range growthSteps {
		out = append(out, min(n, c.MaxSubs))
	}
	return slices.Compact(out)
}

func growth(r *Runner, list []Spec) {
	for _, subs := range r.Config.steps() {
		r.rounds(r.Config.Rounds, list, func(round int, s Spec) {
			rate := float64(growthDeliveries) / float64(subs)
			r.measure("growth", "", round, Plan{Spec: s, Options: Options{Rate: rate}, Subs: subs, Warm: max(r.Config.Warm, 2*time.Second), Window: 2 * r.Config.Window})
		})
	}
}

const marketRate = 500_000

// marketOnly has no subscribers, so the ticks of a measurement are the growth of the log.
func marketOnly(r *Runner, list []Spec) {
	r.rounds(r.Config.Rounds, list, func(round int, s Spec) {
		if r.done() {
			return
		}
		m, err := r.Launcher.market(r.ctx, s, r.Config)
		if r.done() {
			return
		}
		m.Experiment, m.Round = "market", round
		if reason, ok := unavailable(err); ok {
			m.Missing = reason
		} else if err != nil {
			r.failed = err
			return
		}
		r.Result.add(m)
		r.measured++
		r.printMarket(m)
		if err := r.save(); err != nil {
			r.failed = err
		}
	})
}

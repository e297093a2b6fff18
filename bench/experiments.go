package main

import (
	"math"
	"time"
)

// Experiment is one question.
type Experiment struct {
	Name    string
	About   string
	Servers string // those that it is asked of, unless -servers names others
	run     func(r *Runner, list []Shape)
	takes   func(c Config, n int) time.Duration // for n servers
}

const (
	inField   = "floor-sse,fiber,net/http,r3labs,tmaxmax,ticklane-stream-sse,ticklane-body-sse,ticklane-shard-sse,floor-ws,gorilla,gobwas,fasthttp-ws,coder,ticklane-stream-ws,ticklane-shard-ws"
	withBatch = "floor-sse,floor-ws,floor-join-sse,floor-join-ws,fiber,net/http,r3labs,tmaxmax,gorilla,gobwas,fasthttp-ws,coder,ticklane-stream-sse,ticklane-body-sse,ticklane-shard-sse,ticklane-stream-ws,ticklane-shard-ws"
	plain     = "ticklane-stream-sse,ticklane-shard-sse,ticklane-stream-ws,ticklane-shard-ws"
)

var experiments = []Experiment{
	{"paced", "processor time and latency of a delivered tick, at rates that leave every server time", inField + ",ticklane-stream-ws-pb,ticklane-shard-ws-pb", paced,
		func(c Config, n int) time.Duration {
			return time.Duration(n*c.Rounds*len(c.Rates)) * (c.Warm + c.Window + overhead(c.Subs))
		}},
	{"saturation", "the most ticks a second: the rate is doubled until no more are delivered; sustained: every tick once, p99 below a second", withBatch, saturation,
		func(c Config, n int) time.Duration {
			return time.Duration(n) * 6 * (c.Warm + c.Window + overhead(c.Subs))
		}},
	{"idle", "memory of a connection on which next to nothing happens", inField, idle,
		func(c Config, n int) time.Duration { return time.Duration(n) * (8*time.Second + overhead(c.Idle)) }},
	{"compress", "bytes, processor time and memory of compressed streams against plain ones", plain, compress,
		func(c Config, n int) time.Duration {
			return time.Duration(n*c.Rounds) * 6 * (c.Warm + c.Window + overhead(c.Subs))
		}},
	{"stalled", "what one client that never reads costs the others", plain + ",tmaxmax", stalled,
		func(c Config, n int) time.Duration {
			return time.Duration(n*c.Rounds) * 3 * (stallWarm + 2*c.Window + overhead(c.Subs))
		}},
	{"growth", "processor time of a delivered tick from 100 to 20,000 subscribers on both lanes, 25,000 deliveries/s", "floor-mixed,ticklane-stream-mixed,ticklane-shard-mixed", growth,
		func(c Config, n int) time.Duration {
			t := time.Duration(0)
			for _, subs := range growthSteps {
				t += c.Warm + 2*c.Window + overhead(min(subs, c.Most))
			}
			return time.Duration(n*c.Rounds) * t
		}},
	{"market", "500,000 ticks a second appended, no subscribers", "ticklane-stream-sse", marketOnly,
		func(c Config, n int) time.Duration {
			return time.Duration(n*c.Rounds) * (c.Warm + 2*c.Window + time.Second)
		}},
}

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

// patience is the p99 up to which a rate counts as sustained. Beyond it queues grow, the server's or the kernel's, and
// what a window sees is partly what they held before.
const patience = time.Second

// sustained says that a server kept up: every tick once, and none for long in a queue.
func (s *Slot) sustained() bool {
	return s.Counts != nil && s.Counts.Whole() && time.Duration(s.P99)*time.Microsecond < patience
}

func saturation(r *Runner, list []Shape) {
	for _, s := range list {
		try := func(rate float64) *Slot {
			return r.slot("saturation", "", 1, Plan{Shape: s, Options: Options{Rate: rate}, Subs: r.Config.Subs, Warm: r.Config.Warm, Window: r.Config.Window})
		}
		best, kept := 0.0, 0.0
		for rate := firstRate; rate <= lastRate; rate *= 2 {
			slot := try(rate)
			if slot == nil {
				break
			}
			if slot.sustained() {
				kept = rate
			}
			if slot.Delivered() < 1.1*best {
				break
			}
			best = slot.Delivered()
		}
		if kept > 0 {
			try(kept * math.Sqrt2) // the doubling is coarse
		}
	}
}

// idleRate writes to each connection now and then, so that what a write needs is in the figure.
const idleRate = .5

func idle(r *Runner, list []Shape) {
	for _, s := range list {
		r.slot("idle", "", 1, Plan{Shape: s, Options: Options{Rate: idleRate}, Subs: r.Config.Idle, Warm: 6 * time.Second, Window: 2 * time.Second})
	}
}

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
			p := Plan{Options: o, Subs: r.Config.Subs, Warm: r.Config.Warm, Window: r.Config.Window}
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

func growth(r *Runner, list []Shape) {
	for _, subs := range growthSteps {
		subs = min(subs, r.Config.Most)
		r.rounds(r.Config.Rounds, list, func(round int, s Shape) {
			rate := float64(growthDeliveries) / float64(subs)
			r.slot("growth", "", round, Plan{Shape: s, Options: Options{Rate: rate}, Subs: subs, Warm: max(r.Config.Warm, 2*time.Second), Window: 2 * r.Config.Window})
		})
	}
}

const marketRate = 500_000

// marketOnly has no subscribers, so a slot's ticks are the log's growth.
func marketOnly(r *Runner, list []Shape) {
	r.rounds(r.Config.Rounds, list[:1], func(round int, s Shape) {
		slot, err := r.House.market(s, r.Config)
		slot.Experiment, slot.Round = "market", round
		if why, ok := unavailable(err); ok {
			slot.Missing = why
		} else if err != nil {
			r.failed = err
			return
		}
		r.Result.add(slot)
		r.tellMarket(slot)
	})
}

package loadtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Limits of a valid slot.
const (
	maxLateness   = 10 * time.Millisecond // of the generator's own timer, p99
	maxOwnShare   = 0.90                  // of all processors, taken by the generator
	maxBothShare  = 0.97                  // of all processors, taken by generator and a server on the same machine
	maxForeign    = 0.05                  // ticks that the server handed to others, of all
	settleTimeout = 3 * time.Second       // after which a tick that hasn't come counts as late
	emptyTimeout  = 5 * time.Second       // for the server to see that all connections are gone
)

// Slot is one turn of one side: its connections, and what was measured in its window. Figures that could not be
// measured are null.
type Slot struct {
	Round   int       `json:"round"`
	Side    string    `json:"side"` // "A" or "B"
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"` // of the window
	Valid   bool      `json:"valid"`
	Reasons []string  `json:"reasons,omitempty"` // why it isn't
	// ServerFaults are those of the reasons that are the server's: what it promised, it didn't keep in time.
	ServerFaults []string  `json:"server_faults,omitempty"`
	Connections  int       `json:"connections"`
	Ticks        uint64    `json:"ticks"` // received by the measured connections in the window
	PerSecond    float64   `json:"ticks_per_second"`
	Messages     uint64    `json:"messages"`
	Reads        uint64    `json:"reads"`
	Churned      uint64    `json:"churned"`
	Check        counts    `json:"check"`
	Late         uint64    `json:"late"`    // ticks that had not come some seconds after the window
	Dropped      int       `json:"dropped"` // connections that the server ended
	Slow         *SlowSlot `json:"slow_readers,omitempty"`
	Latency      Latency   `json:"latency"`
	Server       Server    `json:"server"`
	Generator    Generator `json:"generator"`

	hello hello
	start Stats  // before the connections
	all   uint64 // ticks received in the window, by slow readers too
	why   error  // the first dropped connection's

	packed bool // its stream was compressed
}

// SlowSlot is what became of the slow readers.
type SlowSlot struct {
	Connections int    `json:"connections"`
	Gaps        uint64 `json:"gaps"`
	Dropped     uint64 `json:"dropped"`
	Broken      counts `json:"check"`
}

// Latency is receive time − due time, in µs, of ticks that came live.
type Latency struct {
	Count     uint64  `json:"count"`
	Early     uint64  `json:"early"` // before due; counted as 0
	Mean      float64 `json:"mean"`
	P50       int64   `json:"p50"`
	P90       int64   `json:"p90"`
	P99       int64   `json:"p99"`
	P999      int64   `json:"p999"`
	Max       int64   `json:"max"`
	Histogram string  `json:"histogram"` // HdrHistogram's V2 compressed encoding in base64, as its log files have it

	hist *hdrhistogram.Histogram
}

// Server is what the server spent, by its own /api/stats.
type Server struct {
	CPUSeconds     float64  `json:"cpu_seconds"`
	CPUPerMillion  float64  `json:"cpu_seconds_per_million_ticks"`
	RSSIdle        uint64   `json:"rss_idle_bytes"`
	RSSConnected   uint64   `json:"rss_connected_bytes"`
	KiBPerConn     *float64 `json:"kib_per_connection"` // null where earlier streams left memory behind
	WirePerTick    float64  `json:"wire_bytes_per_tick"`
	PayloadPerTick float64  `json:"payload_bytes_per_tick"`
	WritesPerTick  float64  `json:"writes_per_tick"`
}

// Generator is what the measuring itself took.
type Generator struct {
	CPUSeconds  float64 `json:"cpu_seconds"`
	CPUShare    float64 `json:"cpu_share"` // of all processors of this machine
	Lateness50  int64   `json:"lateness_p50_us"`
	Lateness99  int64   `json:"lateness_p99_us"`
	LatenessMax int64   `json:"lateness_max_us"`
	Bytes       uint64  `json:"bytes"`                 // received by the measured connections
	Saved       int64   `json:"saved_bytes,omitempty"` // by compression: so many more they would have received without
}

// measure runs one slot against a server that answers. Its error is one that ends the whole test.
func measure(ctx context.Context, o *Options, t *target, at turn, say func(string, ...any)) (*Slot, error) {
	side := o.sides[at.side]
	f := newFleet(t, side, o.Conns, o.SlowReaders, slow)
	var background sync.WaitGroup
	inner, end := context.WithCancel(ctx)
	defer func() {
		end()
		background.Wait() // churn reopens clients, so it goes first
		f.close()
	}()

	s := &Slot{Round: at.round, Side: sideName(at.side), Connections: o.Conns}
	idle, err := t.stats(ctx)
	if err != nil {
		return nil, err
	}
	s.start = idle
	say("connecting %d", len(f.clients))
	if err := f.open(ctx, o.Ramp, f.own(inner)); err != nil {
		return nil, err
	}
	s.hello = f.clients[0].check.hello
	if o.Churn > 0 {
		rng := rand.New(rand.NewPCG(o.Seed, uint64(at.round)))
		background.Go(func() { f.churn(inner, o.Churn, o.Conns, rng) })
	}
	if err := idleFor(ctx, o.Warmup, func(time.Duration) { say("warming up") }); err != nil {
		return nil, err
	}

	w := startWatch(inner)
	background.Go(func() { <-w.done })
	before, err := t.stats(ctx)
	if err != nil {
		return nil, err
	}
	f.recs.open()
	f.slowRec.open()
	w.reset()
	start, cpu := time.Now(), cpuTime()
	err = idleFor(ctx, o.Duration, func(left time.Duration) {
		say("measuring, %.0f s left, %d ticks so far", left.Seconds(), f.recs.delivered())
	})
	if err != nil {
		return nil, err
	}
	after, err := t.stats(ctx)
	f.recs.close()
	f.slowRec.close()
	s.Started, s.Seconds = start, time.Since(start).Seconds()
	s.Generator = generator(cpuTime()-cpu, s.Seconds, w)
	if err != nil {
		return nil, err
	}
	if s.Late, err = f.settle(ctx, t, settleTimeout); err != nil {
		return nil, err
	}
	s.fill(f, before, after)
	s.judge(o, t, before, after)
	return s, nil
}

func sideName(k int) string { return string(rune('A' + k)) }

// idleFor waits, and calls every now and then with what is left.
func idleFor(ctx context.Context, d time.Duration, every func(left time.Duration)) error {
	end := time.Now().Add(d)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	done := time.NewTimer(d)
	defer done.Stop()
	for {
		every(max(0, time.Until(end)))
		select {
		case <-done.C:
			return nil
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func generator(cpu time.Duration, seconds float64, w *watch) Generator {
	return Generator{
		CPUSeconds: cpu.Seconds(), CPUShare: cpu.Seconds() / seconds / float64(runtime.NumCPU()),
		Lateness50: w.percentile(50), Lateness99: w.percentile(99), LatenessMax: w.percentile(100),
	}
}

// late says why what the generator measured is not the server's doing; empty when it ran on time.
func (g Generator) late() string {
	late := time.Duration(g.Lateness99) * time.Microsecond
	if late <= maxLateness {
		return ""
	}
	who := "the generator"
	if g.CPUShare < 0.5 {
		who = "the machine, busy with something else,"
	}
	return fmt.Sprintf("%s was the bottleneck: the generator's own timer was late by %s ms (p99; at most %d ms)", who,
		number(late.Seconds()*1000, 1), maxLateness.Milliseconds())
}

// fill takes over what the window's counters say.
func (s *Slot) fill(f *fleet, before, after Stats) {
	sum, slowSum := f.recs.sum(), recorders{f.slowRec}.sum()
	s.all = sum.ticks + slowSum.ticks
	s.Ticks, s.Messages, s.Reads = sum.ticks, sum.messages, sum.reads
	s.PerSecond = float64(sum.ticks) / s.Seconds
	s.Generator.Bytes, s.Generator.Saved, s.packed = sum.bytes, sum.saved, f.side.Compress
	s.Churned = f.churned.Load()
	s.Latency = latencyOf(sum)
	var slowCounts counts
	s.Check, slowCounts = f.counts()
	s.Dropped, s.why = f.drops()
	if n := len(f.clients) - s.Connections; n > 0 {
		s.Slow = &SlowSlot{Connections: n, Gaps: slowCounts.Gaps, Dropped: slowSum.dropped, Broken: slowCounts}
	}

	a, b := after.Lanes[f.side.Lane], before.Lanes[f.side.Lane]
	s.Server = Server{
		CPUSeconds: after.Process.CPUSeconds - before.Process.CPUSeconds,
		RSSIdle:    s.start.Process.RSS, RSSConnected: after.Process.RSS,
	}
	if s.all > 0 {
		s.Server.CPUPerMillion = s.Server.CPUSeconds / float64(s.all) * 1e6
	}
	if ticks := float64(a.Ticks - b.Ticks); ticks > 0 {
		s.Server.WirePerTick = float64(a.Wire-b.Wire) / ticks
		s.Server.PayloadPerTick = float64(a.Payload-b.Payload) / ticks
		s.Server.WritesPerTick = float64(a.Writes-b.Writes) / ticks
	}
	if s.fresh() && s.Server.RSSIdle > 0 && s.Server.RSSConnected > s.Server.RSSIdle {
		kib := float64(s.Server.RSSConnected-s.Server.RSSIdle) / 1024 / float64(len(f.clients))
		s.Server.KiBPerConn = &kib
	}
}

// fresh tells whether the server had hardly any streams before this slot's: what earlier ones used, it keeps.
func (s *Slot) fresh() bool {
	var opened uint64
	for _, l := range s.start.Lanes {
		opened += l.Opened
	}
	return opened*50 <= uint64(s.Connections)
}

// judge says whether the slot counts. Completeness comes first: latency means nothing where ticks are missing.
func (s *Slot) judge(o *Options, t *target, before, after Stats) {
	void := func(format string, a ...any) { s.Reasons = append(s.Reasons, fmt.Sprintf(format, a...)) }
	failed := func(format string, a ...any) {
		void(format, a...)
		s.ServerFaults = append(s.ServerFaults, fmt.Sprintf(format, a...))
	}
	if s.Check.broken() {
		failed("not delivered as promised: %s", s.Check.wrong())
	}
	if s.Check.Gaps > 0 || s.Check.Resets > 0 {
		failed("the server told %d gaps (%d ticks) and %d resets: it could not keep up", s.Check.Gaps, s.Check.Told, s.Check.Resets)
	}
	if s.Late > 0 {
		failed("%d ticks had not come %v after the window", s.Late, settleTimeout)
	}
	if s.Dropped > 0 {
		failed("%d connections ended, the first because: %v", s.Dropped, s.why)
	}
	if s.Latency.Count == 0 {
		void("no tick came in the window: is the feed running, and does it have the topics?")
	}
	if s.Latency.Early*1000 > s.Latency.Count {
		void("%d ticks came before they were due: the clocks differ", s.Latency.Early)
	}
	if why := s.Generator.late(); why != "" {
		void("%s", why)
	}
	own := s.Generator.CPUShare
	both := own
	if loopback(t.url.Hostname()) {
		both += s.Server.CPUSeconds / s.Seconds / float64(runtime.NumCPU())
	}
	switch {
	case own > maxOwnShare:
		void("the generator was the bottleneck: it took %.0f %% of all processors (at most %.0f %%)", own*100, maxOwnShare*100)
	case both > maxBothShare:
		void("the machine was the bottleneck: server and generator took %.0f %% of all processors (at most %.0f %%)", both*100, maxBothShare*100)
	}
	var all uint64
	others := -(o.Conns + o.SlowReaders)
	for lane, l := range after.Lanes {
		all += l.Ticks - before.Lanes[lane].Ticks
		others += l.Connections
	}
	// A server still counts for a while what churn cut off.
	if others > 0 && o.Churn == 0 && all > s.all && float64(all-s.all) > maxForeign*float64(all) {
		void("the server had %d other streams, which got %d of its %d ticks", others, all-s.all, all)
	}
	s.Valid = len(s.Reasons) == 0
}

// awaitEmpty waits until the server has seen all connections of a lane go, so that the next slot starts alone.
func awaitEmpty(ctx context.Context, t *target, lane string, before int) error {
	end := time.Now().Add(emptyTimeout)
	for {
		s, err := t.stats(ctx)
		if err != nil || s.Lanes[lane].Connections <= before || time.Now().After(end) {
			return err
		}
		if err := idleFor(ctx, 50*time.Millisecond, func(time.Duration) {}); err != nil {
			return err
		}
	}
}

package main

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/bus"
	"ticklane/internal/history"
	"ticklane/internal/market"
	"ticklane/internal/quote"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// pipeline is the path of a tick from the simulator to the log, connected as in serve.
type pipeline struct {
	sim *market.Simulator
	bus *bus.Local
	log *stream.Log
}

// newPipeline returns a pipeline whose log has a subscriber for each of the first formats.
func newPipeline(tb testing.TB, o market.Options, formats wire.Format) pipeline {
	tb.Helper()
	o.Seed, o.Symbols, o.Logger = 1, 50, slog.New(slog.DiscardHandler)
	sim, err := market.NewSimulator(o)
	if err != nil {
		tb.Fatal(err)
	}
	u := sim.Universe()
	past, err := history.New(u, history.DefaultKeep)
	if err != nil {
		tb.Fatal(err)
	}
	b := bus.NewLocal(u.Len())
	log, err := stream.New(stream.Config{Universe: u, Epoch: b.Epoch(), Size: 65536})
	if err != nil {
		tb.Fatal(err)
	}
	b.Attach(past.Add)
	b.Attach(log.Append)
	every, err := u.Topics([]string{"*"}, 1)
	if err != nil {
		tb.Fatal(err)
	}
	for f := range formats {
		log.Subscribe(stream.Options{Format: f, Topics: every})
	}
	tb.Cleanup(log.Close)
	return pipeline{sim, b, log}
}

// TestFeedAt500000TicksPerSecond: ticks arrive in order and not before they are due, the schedule is never moved, and the log
// grows at the rate of the market. The time is simulated, so the speed of the machine doesn't matter.
func TestFeedAt500000TicksPerSecond(t *testing.T) {
	const rate, length = 500_000, time.Second / 10
	for _, arrivals := range []string{market.Hawkes, market.Steady} {
		t.Run(arrivals, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipeline(t, market.Options{Rate: rate, Arrivals: arrivals}, wire.Formats)
				ctx, cancel := context.WithTimeout(t.Context(), length)
				defer cancel()
				var seq uint64
				var due int64
				err := p.sim.Run(ctx, func(ticks []quote.Tick) {
					now := time.Now().UnixMicro()
					p.bus.Publish(ticks)
					for i := range ticks {
						k := &ticks[i]
						if k.Seq != seq+1 || k.Due < due || k.Due > now {
							t.Fatalf("tick %d, due %d, after %d, due %d, at %d", k.Seq, k.Due, seq, due, now)
						}
						seq, due = k.Seq, k.Due
					}
				})
				if err != nil {
					t.Fatal(err)
				}
				if n := p.sim.Reanchored(); n != 0 {
					t.Errorf("the schedule was moved %d times", n)
				}
				// The first 50 ticks are the opening quotes; the number of arrivals of a Hawkes market varies.
				got, want := float64(p.log.Head().Seq)-50, rate*length.Seconds()
				if slack := map[string]float64{market.Hawkes: 0.3, market.Steady: 0.001}[arrivals]; got < want*(1-slack) || got > want*(1+slack) {
					t.Errorf("%.0f ticks in %v", got, length)
				}
			})
		})
	}
}

// BenchmarkFeed measures the cost of a tick from the simulator to the log: model, bus, bars, and rendering in the formats in
// use. One operation is one second of a market with 500,000 ticks/s, simulated as fast as possible.
func BenchmarkFeed(b *testing.B) {
	const rate = 500_000
	for _, arrivals := range []string{market.Hawkes, market.Steady} {
		for _, formats := range []wire.Format{0, 2} {
			name := arrivals + "/idle"
			if formats > 0 {
				name = arrivals + "/json"
			}
			b.Run(name, func(b *testing.B) {
				p := newPipeline(b, market.Options{Rate: rate, Arrivals: arrivals, Warmup: time.Second}, formats)
				start := p.log.Head().Seq
				b.ReportAllocs()
				for b.Loop() {
					p.sim.Warm(time.Now(), p.bus.Publish)
				}
				ticks := float64(p.log.Head().Seq - start)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/ticks, "ns/tick")
				b.ReportMetric(ticks/b.Elapsed().Seconds(), "ticks/s")
			})
		}
	}
}

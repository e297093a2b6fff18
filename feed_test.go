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

// feedLine is a tick's path up to the log, wired as serve does, with the first formats in use.
type feedLine struct {
	sim *market.Simulator
	bus *bus.Local
	log *stream.Log
}

func newFeedLine(tb testing.TB, o market.Options, formats wire.Format) feedLine {
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
	return feedLine{sim, b, log}
}

// TestHalfAMillionTicksASecond: at 500,000 ticks/s every tick comes in its order, no earlier than it is due, without a
// move of the schedule, and the log grows by the rate. Time is the test's own, so a slow machine changes nothing.
func TestHalfAMillionTicksASecond(t *testing.T) {
	const rate, length = 500_000, time.Second / 10
	for _, arrivals := range []string{market.Hawkes, market.Steady} {
		t.Run(arrivals, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				line := newFeedLine(t, market.Options{Rate: rate, Arrivals: arrivals}, wire.Formats)
				ctx, cancel := context.WithTimeout(t.Context(), length)
				defer cancel()
				var seq uint64
				var due int64
				err := line.sim.Run(ctx, func(ticks []quote.Tick) {
					now := time.Now().UnixMicro()
					line.bus.Publish(ticks)
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
				if n := line.sim.Reanchored(); n != 0 {
					t.Errorf("the schedule was moved %d times", n)
				}
				// The opening is one tick a symbol; a Hawkes market varies.
				got, want := float64(line.log.Head().Seq)-50, rate*length.Seconds()
				if slack := map[string]float64{market.Hawkes: 0.3, market.Steady: 0.001}[arrivals]; got < want*(1-slack) || got > want*(1+slack) {
					t.Errorf("%.0f ticks in %v", got, length)
				}
			})
		})
	}
}

// BenchmarkFeed is what a tick costs from the market to the log: model, bus, bars, and the renders of the formats in use.
// One operation is a second of a market of 500,000 ticks/s, made as fast as it goes.
func BenchmarkFeed(b *testing.B) {
	const rate = 500_000
	for _, arrivals := range []string{market.Hawkes, market.Steady} {
		for _, formats := range []wire.Format{0, 2} {
			name := arrivals + "/idle"
			if formats > 0 {
				name = arrivals + "/json"
			}
			b.Run(name, func(b *testing.B) {
				line := newFeedLine(b, market.Options{Rate: rate, Arrivals: arrivals, Warmup: time.Second}, formats)
				start := line.log.Head().Seq
				b.ReportAllocs()
				for b.Loop() {
					line.sim.Warm(time.Now(), line.bus.Publish)
				}
				ticks := float64(line.log.Head().Seq - start)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/ticks, "ns/tick")
				b.ReportMetric(ticks/b.Elapsed().Seconds(), "ticks/s")
			})
		}
	}
}

package natsbus

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"ticklane/internal/bus/bustest"
	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
	"ticklane/internal/testkit"
)

// TestSchedule runs a random schedule: two writers, one of which may not notice that it has lost the lease, lost acknowledgements,
// restarts of readers and of the server, a leader that lags. Every node must see one sequence, which is that of the stream, and no tick twice; the same holds
// for batches without ticks.
func TestSchedule(t *testing.T) {
	t.Parallel()
	rng := testkit.Rand(t)
	var lags atomic.Int64
	c := newCluster(t, func(o *Options) {
		o.Source = new(recorder)
		o.faults.lag = func() uint64 { return uint64(max(0, lags.Add(-1))) % 4 }
	})
	epoch := c.a.Start().Position.Epoch
	writers := []writing{c.writing}
	readers := []*node{c.a, c.b, c.c}
	volume, steps := 0, ""
	for range testkit.Rounds(40, 400) {
		step := rng.IntN(20)
		steps += fmt.Sprint(step, " ")
		switch step {
		case 0:
			c.deleteLease(t)
		case 1:
			c.zombie.Store(!c.zombie.Load())
		case 2:
			c.lostAcks.Store(int64(rng.IntN(5)))
		case 3:
			c.restart(t, func() {})
			testkit.Eventually(t, func() bool { return c.b.conn.IsConnected() }, "connected")
		case 4:
			lags.Store(int64(rng.IntN(30)))
		case 5:
			o := options(t, "d")
			o.URL, o.Lead, o.LogSize = c.server.URL(), false, 1+rng.IntN(bustest.LogSize)
			o.Source = new(recorder)
			n := openNode(t, o)
			n.run()
			readers = append(readers, n)
		default: // any that was a writer publishes
			writers = append(writers, newWriters(c)...)
			w := writers[max(0, len(writers)-1-rng.IntN(2))]
			ticks := make([]quote.Tick, 1+rng.IntN(20))
			for i := range ticks {
				volume++
				ticks[i] = quote.Tick{Symbol: quote.ID(rng.IntN(bustest.Symbols)), Volume: quote.Size(volume)}
			}
			line := batch.Progress{Source: "lines", Ranges: []batch.Range{{From: uint64(volume), To: uint64(volume)}}}
			switch rng.IntN(3) {
			case 0:
				ticks, volume = nil, volume+1
				fallthrough
			case 1:
				w.batches(&batch.Batch{Progress: []batch.Progress{line}, Ticks: ticks})
			default:
				w.publish(ticks)
			}
		}
	}
	c.zombie.Store(false)
	c.lostAcks.Store(0)
	head := c.settle(t, writers)

	// A new node reads all that is stored.
	o := options(t, "e")
	o.URL, o.Lead = c.server.URL(), false
	o.From, o.Source = func(context.Context, *nats.Conn, uint64) (uint64, error) { return 0, nil }, new(recorder)
	all := openNode(t, o)
	all.run()
	stored := all.got.Wait(t, int(head))
	seen, n := map[quote.Size]bool{}, [bustest.Symbols]uint64{}
	for i, k := range stored {
		n[k.Symbol]++
		if k.Seq != uint64(i+1) || k.N != n[k.Symbol] || seen[k.Volume] {
			t.Fatalf("stored tick %d: %+v (steps %s)", i+1, k, steps)
		}
		seen[k.Volume] = true
	}
	for _, r := range readers {
		testkit.Eventually(t, func() bool { return r.State().Position.Seq >= head }, "reader is at the head")
		if got, want := r.o.Source.State(), all.o.Source.State(); !reflect.DeepEqual(got.Progress, want.Progress) {
			t.Fatalf("a node has the batches %+v, want %+v (steps %s)", got.Progress, want.Progress, steps)
		}
		at := r.Start().Position
		if at.Epoch != epoch {
			t.Fatalf("a node has epoch %x, want %x (steps %s)", at.Epoch, epoch, steps)
		}
		for i, k := range r.got.Ticks() {
			if want := int(at.Seq) + i; want >= len(stored) || k != stored[want] {
				t.Fatalf("a node that began at %v has %+v as tick %d (steps %s)", at, k, want+1, steps)
			}
		}
	}
}

// recorder is a source that keeps the progress and the newest ticks.
type recorder struct {
	mu     sync.Mutex
	ranges []batch.Range
	newest [bustest.Symbols]quote.Tick
}

func (r *recorder) Apply(x *batch.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range x.Progress {
		r.ranges = append(r.ranges, x.Progress[i].Ranges...)
	}
	for i := range x.Ticks {
		r.newest[x.Ticks[i].Symbol] = x.Ticks[i]
	}
	return nil
}

func (r *recorder) Resume(x *batch.Batch) error {
	*r = recorder{}
	return r.Apply(x)
}

func (r *recorder) State() *batch.Batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	x := &batch.Batch{Progress: []batch.Progress{{Source: "lines", Ranges: slices.Clone(r.ranges)}}}
	for i := range r.newest {
		if r.newest[i].N > 0 {
			x.Ticks = append(x.Ticks, r.newest[i])
		}
	}
	return x
}

// newWriters returns the terms that have begun.
func newWriters(c *cluster) (all []writing) {
	for {
		select {
		case w := <-c.fromA:
			all = append(all, w)
		case w := <-c.fromB:
			all = append(all, w)
		default:
			return all
		}
	}
}

// settle publishes until a tick is stored, and returns its number.
func (c *cluster) settle(t *testing.T, writers []writing) uint64 {
	t.Helper()
	volume := quote.Size(1_000_000)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		writers = append(writers, newWriters(c)...)
		w := writers[len(writers)-1]
		volume++
		last := []quote.Tick{{Volume: volume}}
		w.publish(last)
		for wait := time.Now().Add(time.Second); w.ctx.Err() == nil && time.Now().Before(wait); time.Sleep(time.Millisecond) {
			if c.b.State().Position.Seq == last[0].Seq {
				if newest := c.b.State().Newest; newest[0].Symbol == 0 && newest[0].Volume == last[0].Volume {
					return last[0].Seq
				}
			}
		}
	}
	t.Fatal("no writer at the end")
	return 0
}

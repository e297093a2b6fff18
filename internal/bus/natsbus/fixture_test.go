package natsbus

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"ticklane/internal/bus"
	"ticklane/internal/bus/bustest"
	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
)

// quick are times for tests. Only the lease is long, so that a busy machine keeps it: a test that needs another writer deletes it.
var quick = timing{
	heartbeat: 200 * time.Millisecond, lease: 30 * time.Second, renew: 100 * time.Millisecond, stepDown: 20 * time.Second, campaign: 50 * time.Millisecond,
	check: 200 * time.Millisecond, mark: 50 * time.Millisecond, state: 300 * time.Millisecond, ack: 3 * time.Second, request: 500 * time.Millisecond,
}

// options returns options for tests.
func options(t testing.TB, name string) Options {
	t.Helper()
	return Options{
		Name: name, Lead: true, MaxBytes: 16 << 20, Logger: testLogger(t), timing: quick,
		Log: Log{Universe: bustest.Universe(t), Events: quote.NewEvents(bustest.LogSize), LogSize: bustest.LogSize},
	}
}

func testLogger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// node is a bus with a sink that keeps the ticks.
type node struct {
	*Bus
	t    testing.TB
	got  bustest.Received
	stop context.CancelFunc // of Run and Lead
	end  func()             // ends Lead before Run
	done sync.WaitGroup
	err  error // of Run
	lead error // of Lead
}

// openNode opens a bus. The test's end stops it.
func openNode(t testing.TB, o Options) *node {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	b, err := Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{Bus: b, t: t}
	n.Attach(n.got.Add)
	return n
}

// run starts Run. It returns a function that waits for its end.
func (n *node) run() {
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	n.end = func() {}
	n.done.Go(func() { n.err = n.Run(ctx) })
	n.t.Cleanup(n.close)
}

// ended waits until Run has returned by itself, and returns its error.
func (n *node) ended() error {
	n.done.Wait()
	return n.err
}

// write starts Lead with a source that hands over its publish function each time that it runs.
func (n *node) write() <-chan writing {
	started := make(chan writing, 100)
	ctx, stop := context.WithCancel(context.Background())
	var leading sync.WaitGroup
	leading.Go(func() {
		n.lead = n.LeadBatches(ctx, func(ctx context.Context, from bus.State, publish Publish) error {
			started <- writing{ctx, from, publish}
			<-ctx.Done()
			return nil
		})
	})
	n.end = func() {
		stop()
		leading.Wait()
	}
	return started
}

type writing struct {
	ctx     context.Context
	from    bus.State
	batches Publish
}

func (w writing) publish(ticks []quote.Tick) { w.batches(&batch.Batch{Ticks: ticks}) }

// close ends the node in order.
func (n *node) close() {
	n.end()
	n.stop()
	n.done.Wait()
	if n.Bus != nil {
		n.Close()
	}
	n.Bus = nil
}

// await returns the next run of a source. On a machine so busy that the lease isn't given back it has to expire first.
func await(t testing.TB, started <-chan writing) writing {
	t.Helper()
	select {
	case w := <-started:
		return w
	case <-time.After(2 * quick.lease):
		t.Fatal("the node didn't become the writer")
		panic("unreachable")
	}
}

package natsbus

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ticklane/internal/bus"
	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

// cluster is two nodes that may write, and one that reads, on an external server.
type cluster struct {
	server     *natstest.Server
	a, b, c    *node
	fromA      <-chan writing
	fromB      <-chan writing
	zombie     atomic.Bool // a doesn't notice that it has lost the lease
	lostAcks   atomic.Int64
	writing    writing
	optionsOfA Options
}

func newCluster(t *testing.T, set ...func(*Options)) *cluster {
	t.Helper()
	c := &cluster{server: natstest.New(t, nil)}
	options := func(t *testing.T, name string) Options {
		o := options(t, name)
		for _, set := range set {
			set(&o)
		}
		return o
	}
	o := options(t, "a")
	o.URL = c.server.URL()
	o.faults.keepLease = c.zombie.Load
	o.faults.loseAck = func(uint64) bool { return c.lostAcks.Add(-1) >= 0 }
	c.optionsOfA = o
	c.a = openNode(t, o)
	c.a.run()
	c.fromA = c.a.write()
	c.writing = await(t, c.fromA)
	o = options(t, "b")
	o.URL = c.server.URL()
	c.b = openNode(t, o)
	c.b.run()
	c.fromB = c.b.write()
	o = options(t, "c")
	o.URL, o.Lead = c.server.URL(), false
	c.c = openNode(t, o)
	c.c.run()
	return c
}

// deleteLease makes another node the writer, or the same again.
func (c *cluster) deleteLease(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, func() bool { // a request just after a restart of the server may get no answer
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return c.b.lease.kv.Delete(ctx, leaseKey) == nil
	}, "lease deleted")
}

// nextWriter ends the term of the writer, and returns the next one.
func (c *cluster) nextWriter(t *testing.T) writing {
	t.Helper()
	c.deleteLease(t)
	select {
	case <-c.writing.ctx.Done():
	case <-time.After(30 * time.Second):
		t.Fatal("the writer goes on without the lease")
	}
	return c.writer(t)
}

// publish publishes ticks whose volumes are from, from+1, …
func publish(w writing, from, n int) {
	for i := range n {
		w.publish([]quote.Tick{{Symbol: quote.ID(i % 3), Volume: quote.Size(from + i)}})
	}
}

// store publishes ticks as publish does, in one batch, until one of the writers that next returns has stored them. Those before are stored.
// On a busy machine a term may end early, and what isn't stored then is lost.
func store(t testing.TB, next func() writing, from, n int) {
	t.Helper()
	ticks := make([]quote.Tick, n)
	for i := range ticks {
		ticks[i] = quote.Tick{Symbol: quote.ID(i % 3), Volume: quote.Size(from + i)}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*quick.lease)
	defer cancel()
	for ctx.Err() == nil {
		w := next()
		if w.from.Position.Seq > uint64(from) || w.batches(&batch.Batch{Ticks: ticks})(ctx) == nil {
			return
		}
	}
	t.Fatal("the ticks weren't stored")
}

// store is the function store with the writers of the cluster.
func (c *cluster) store(t *testing.T, from, n int) {
	t.Helper()
	store(t, func() writing { return c.writer(t) }, from, n)
}

// agree waits until all nodes have a number of ticks, and compares them.
func (c *cluster) agree(t *testing.T, n int) []quote.Tick {
	t.Helper()
	want := c.a.got.Wait(t, n)
	for _, other := range []*node{c.b, c.c} {
		if got := other.got.Wait(t, n); !slices.Equal(got, want) {
			t.Fatalf("nodes disagree: %d and %d ticks", len(got), len(want))
		}
	}
	for i, k := range want {
		if k.Seq != uint64(i+1) {
			t.Fatalf("tick %d has seq %d", i+1, k.Seq)
		}
	}
	return want
}

// TestLeaseLost deletes the lease: the writer stops, and another goes on with its state.
func TestLeaseLost(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	publish(c.writing, 0, 20)
	c.agree(t, 20)
	if s := c.a.Status(); s.Role != RoleWriter || s.Writer != "a" || !s.StaleSince.IsZero() || s.Err != "" || s.Head != 20 {
		t.Errorf("status of the writer: %+v", s)
	}
	testkit.Eventually(t, func() bool { return c.c.Status().Writer == "a" }, "the reader knows the writer")
	if s := c.c.Status(); s.Role != RoleReader || !s.Ready || !s.Connected || s.Head != 20 {
		t.Errorf("status of the reader: %+v", s)
	}
	c.deleteLease(t)
	select {
	case <-c.writing.ctx.Done():
	case <-time.After(30 * time.Second):
		t.Fatal("the writer goes on without the lease")
	}
	publish(c.writing, 1000, 5) // ignored
	var next writing
	select {
	case next = <-c.fromA:
	case next = <-c.fromB:
	case <-time.After(30 * time.Second):
		t.Fatal("no writer")
	}
	if next.from.Position.Seq != 20 || len(next.from.Newest) != 3 || next.from.N[0] != 7 || next.from.Newest[0].Volume != 18 {
		t.Errorf("state: %+v", next.from)
	}
	publish(next, 20, 10)
	for i, k := range c.agree(t, 30) {
		if int(k.Volume) != i {
			t.Fatalf("tick %d has volume %d", i, k.Volume)
		}
	}
}

// TestFormerWriter lets a node publish after another has begun its term: nothing is stored.
func TestFormerWriter(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	publish(c.writing, 0, 20)
	c.agree(t, 20)
	c.zombie.Store(true)
	c.deleteLease(t)
	next := await(t, c.fromB)
	if c.writing.ctx.Err() != nil {
		t.Fatal("the former writer has noticed that it lost the lease")
	}
	publish(c.writing, 1000, 5)
	<-c.writing.ctx.Done() // by the expected sequence
	publish(next, 20, 10)
	for i, k := range c.agree(t, 30) {
		if int(k.Volume) != i {
			t.Fatalf("tick %d has volume %d", i, k.Volume)
		}
	}
}

// TestLostAcknowledgements: the messages are found in the stream, so the term goes on.
func TestLostAcknowledgements(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.lostAcks.Store(3)
	publish(c.writing, 0, 50)
	c.agree(t, 50)
	testkit.Eventually(t, func() bool { return c.lostAcks.Load() < 3 }, "acknowledgements are lost")
	publish(c.writing, 50, 50)
	c.agree(t, 100)
	if c.writing.ctx.Err() != nil {
		t.Error("the term has ended")
	}
}

// TestServerRestarts: the nodes go on by themselves.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	publish(c.writing, 0, 20)
	c.agree(t, 20)
	c.server.Stop()
	testkit.Eventually(t, func() bool { return !c.c.Status().StaleSince.IsZero() }, "the reader reports that it is stale")
	c.server.Start()
	c.store(t, 20, 20)
	c.agree(t, 40)
	testkit.Eventually(t, func() bool { return c.c.Status().StaleSince.IsZero() }, "the reader isn't stale any more")
}

// TestSourceEnds: Lead returns with the source, once its ticks are stored.
func TestSourceEnds(t *testing.T) {
	t.Parallel()
	o := options(t, "a")
	o.Dir = t.TempDir()
	n := openNode(t, o)
	n.run()
	failure := errors.New("the file has ended")
	err := n.Lead(context.Background(), func(_ context.Context, _ bus.State, publish func([]quote.Tick)) error {
		publish([]quote.Tick{{}, {}})
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("error %v", err)
	}
	if got := n.got.Ticks(); len(got) != 2 {
		t.Errorf("%d ticks when Lead returned", len(got))
	}
	if s := n.Status(); s.Role != RoleStandby {
		t.Errorf("role %s", s.Role)
	}
	if holder, err := n.lease.holder(t.Context()); holder != "" || err != nil {
		t.Errorf("%q has the lease, %v", holder, err)
	}
}

// TestClocksDiffer: a writer whose clock is wrong says so; one whose clock is nearly right doesn't.
func TestClocksDiffer(t *testing.T) {
	t.Parallel()
	for skew, want := range map[time.Duration]bool{-time.Hour: true, time.Hour: true, 0: false, 10 * time.Second: false} {
		var log bytes.Buffer
		o := options(t, "a")
		o.Dir, o.faults.skew = t.TempDir(), skew
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))
		n := openNode(t, o)
		n.run()
		await(t, n.write())
		n.close()
		if got := strings.Contains(log.String(), "set their clocks"); got != want {
			t.Errorf("difference %s: %s", skew, &log)
		}
	}
}

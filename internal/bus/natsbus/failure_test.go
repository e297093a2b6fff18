package natsbus

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

// TestPartition cuts the writer off: another goes on, and nothing that the former one sent is stored when it arrives.
func TestPartition(t *testing.T) {
	t.Parallel()
	server := natstest.New(t, nil)
	proxy := natstest.NewProxy(t, server)
	open := func(name, url string) *node {
		o := options(t, name)
		o.URL = url
		o.timing.lease, o.timing.stepDown = time.Second, 600*time.Millisecond
		n := openNode(t, o)
		n.run()
		return n
	}
	a, b := open("a", proxy.URL()), open("b", server.URL())
	w := await(t, a.write())
	fromB := b.write()
	publish(w, 0, 20)
	b.got.Wait(t, 20)
	proxy.Cut(true)
	publish(w, 1000, 5)
	next := await(t, fromB)
	testkit.Eventually(t, func() bool { return !a.Status().StaleSince.IsZero() && w.ctx.Err() != nil }, "the former writer has stopped and is stale")
	publish(next, 20, 10)
	want := b.got.Wait(t, 30)
	if got := a.got.Ticks(); len(got) != 20 {
		t.Errorf("the former writer has shown %d ticks", len(got))
	}
	proxy.Cut(false)
	if got := a.got.Wait(t, 30); !slices.Equal(got, want) {
		t.Errorf("the former writer has %+v, want %+v", got, want)
	}
	for i, k := range want {
		if int(k.Volume) != i || int(k.Seq) != i+1 {
			t.Fatalf("tick %d: %+v", i+1, k)
		}
	}
	testkit.Eventually(t, func() bool { return a.Status().StaleSince.IsZero() }, "not stale any more")
}

// TestSlowServer: what can't be sent at once is sent together, and nothing is lost.
func TestSlowServer(t *testing.T) {
	t.Parallel()
	server := natstest.New(t, nil)
	proxy := natstest.NewProxy(t, server)
	o := options(t, "a")
	o.URL = proxy.URL()
	n := openNode(t, o)
	n.run()
	w := await(t, n.write())
	proxy.Delay(20 * time.Millisecond)
	for i := range 3000 {
		w.publish([]quote.Tick{{Volume: quote.Size(i)}})
	}
	for i, k := range n.got.Wait(t, 3000) {
		if int(k.Volume) != i {
			t.Fatalf("tick %d: %+v", i+1, k)
		}
	}
	if sent := n.current().batch; sent > 1000 {
		t.Errorf("%d batches for 3000 ticks", sent)
	}
	testkit.Eventually(t, func() bool { return n.Status().Ack.P50 >= 20*time.Millisecond }, "the latency") // it is noted after the tick is read
}

// TestFullStore fills the server's store: nothing is stored, so nothing is shown, the nodes report why, and go on once there is room.
func TestFullStore(t *testing.T) {
	t.Parallel()
	s := natstest.New(t, func(o *server.Options) { o.JetStreamMaxStore = 20 << 20 })
	o := options(t, "a")
	o.URL = s.URL()
	o.timing.lease, o.timing.stepDown = time.Second, 600*time.Millisecond
	a := openNode(t, o)
	a.run()
	started := a.write()
	w := await(t, started)
	publish(w, 0, 20)
	a.got.Wait(t, 20)

	other, err := a.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "other", Subjects: []string{"other"}})
	if err != nil {
		t.Fatal(err)
	}
	for data := make([]byte, 900_000); err == nil; {
		_, err = a.js.Publish(t.Context(), "other", data)
	}
	testkit.Eventually(t, func() bool {
		publish(w, 1000, 1)
		return w.ctx.Err() != nil
	}, "the term has ended")
	confirm := w.batches(&batch.Batch{Ticks: []quote.Tick{{}}})
	if err := confirm(t.Context()); err == nil || !strings.Contains(err.Error(), "not stored: ") {
		t.Errorf("confirmed after the term: %v", err)
	}
	testkit.Eventually(t, func() bool {
		s := a.Status()
		return !s.StaleSince.IsZero() && strings.Contains(s.Err, "the store of the NATS server is full")
	}, "the node reports that the store is full")

	if err := other.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	store(t, func() writing { return await(t, started) }, 20, 10)
	for i, k := range a.got.Wait(t, 30) {
		if int(k.Volume) != i {
			t.Fatalf("tick %d: %+v", i+1, k)
		}
	}
	testkit.Eventually(t, func() bool { s := a.Status(); return s.StaleSince.IsZero() && s.Err == "" }, "the node is well again")
}

// TestStoreFails: after a write error an embedded server stores nothing more. The node reports that it is stale, and ends once the directory
// can be written, so that the server starts again; the log goes on then.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	o := options(t, "a")
	o.Dir = t.TempDir()
	at := writeTicks(t, o, 20)
	n := openNode(t, o)
	n.run()
	probe := filepath.Join(o.Dir, "probe.new")
	if err := os.Mkdir(probe, 0o700); err != nil {
		t.Fatal(err)
	}
	serverLog{o.Logger, n.embedded}.Errorf("Filestore [%s] Critical write error: %v", "ticks", syscall.ENOSPC)
	testkit.Eventually(t, func() bool {
		s := n.Status()
		return !s.StaleSince.IsZero() && strings.HasPrefix(s.Err, "nothing is stored: ")
	}, "the node is stale")
	if n.hasEnded() {
		t.Error("the bus has ended, though nothing can be written")
	}
	if err := os.Remove(probe); err != nil {
		t.Fatal(err)
	}
	if err := n.ended(); !errors.Is(err, ErrEpoch) {
		t.Errorf("Run returned %v", err)
	}
	n.close()
	if next := writeTicks(t, o, 20); next.Epoch != at.Epoch || next.Seq != 40 {
		t.Errorf("the log goes on to %v after %v", next, at)
	}
}

// TestShownBeforeStored: ticks that a writer has shown while it was cut off, in which time another has written, make a new epoch for all.
// No other node has shown them.
func TestShownBeforeStored(t *testing.T) {
	t.Parallel()
	server := natstest.New(t, nil)
	proxy := natstest.NewProxy(t, server)
	o := options(t, "a")
	o.URL, o.Ack = proxy.URL(), AckBefore
	o.faults.keepLease = func() bool { return true }
	a := openNode(t, o)
	a.run()
	w := await(t, a.write())
	o = options(t, "b")
	o.URL = server.URL()
	b := openNode(t, o)
	b.run()
	fromB := b.write()
	publish(w, 0, 20)
	if got := a.got.Ticks(); len(got) != 20 {
		t.Errorf("the writer shows %d ticks at once", len(got))
	}
	b.got.Wait(t, 20)
	proxy.Cut(true)
	publish(w, 1000, 5)
	if got := a.got.Ticks(); len(got) != 25 {
		t.Errorf("the former writer shows %d ticks", len(got))
	}
	if err := b.lease.kv.Delete(t.Context(), leaseKey); err != nil {
		t.Fatal(err)
	}
	next := await(t, fromB)
	publish(next, 20, 10)
	for i, k := range b.got.Wait(t, 30) {
		if int(k.Volume) != i {
			t.Errorf("tick %d: %+v", i+1, k)
		}
	}
	proxy.Cut(false)
	for _, n := range []*node{a, b} {
		if err := n.ended(); !errors.Is(err, ErrEpoch) {
			t.Errorf("Run returned %v", err)
		}
	}
}

// TestShownButLost: a writer that has shown ticks that the server has lost begins a new epoch.
func TestShownButLost(t *testing.T) {
	t.Parallel()
	server := natstest.New(t, nil)
	o := options(t, "a")
	o.URL, o.Ack = server.URL(), AckBefore
	a := openNode(t, o)
	a.run()
	w := await(t, a.write())
	publish(w, 0, 20)
	if err := w.batches(&batch.Batch{Ticks: []quote.Tick{{}}})(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	publish(w, 1000, 5)
	if got := a.got.Ticks(); len(got) != 26 {
		t.Errorf("the writer shows %d ticks", len(got))
	}
	server.Start()
	if err := a.ended(); !errors.Is(err, ErrEpoch) {
		t.Errorf("Run returned %v", err)
	}
}

// TestShownByAnother: a node that has read that another one writes shows none of its ticks any more.
func TestShownByAnother(t *testing.T) {
	t.Parallel()
	c := newCluster(t, func(o *Options) { o.Ack = AckBefore })
	publish(c.writing, 0, 20)
	c.agree(t, 20)
	c.zombie.Store(true)
	c.deleteLease(t)
	next := await(t, c.fromB)
	testkit.Eventually(t, func() bool { return c.a.current().term == c.b.current().term }, "the former writer has read that another writes")
	publish(c.writing, 1000, 5)
	publish(next, 20, 10)
	for i, k := range c.agree(t, 30) {
		if int(k.Volume) != i {
			t.Errorf("tick %d: %+v", i+1, k)
		}
	}
}

// TestReplicasAreKept: a writer that is set to fewer replicas doesn't lower those of the cluster.
func TestReplicasAreKept(t *testing.T) {
	t.Parallel()
	o := options(t, "a")
	o.URL, o.Replicas = natstest.NewCluster(t, 3).URL(), 3
	a := openNode(t, o)
	a.run()
	few := options(t, "b")
	few.URL, few.Replicas = o.URL, 1
	b := openNode(t, few)
	b.run()
	publish(await(t, b.write()), 0, 10)
	a.got.Wait(t, 10)
	for _, name := range []string{b.streamName(), "KV_ticklane_lease", "KV_ticklane_mark", "OBJ_ticklane_state"} {
		s, err := b.js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if n := s.CachedInfo().Config.Replicas; n != 3 {
			t.Errorf("%s has %d replicas, want 3", name, n)
		}
	}
}

// TestReplicas: the stream of three servers gets another leader; in a stress run each server ends and starts again, then all together.
// What was confirmed is stored once, and all nodes have one log.
func TestReplicas(t *testing.T) {
	t.Parallel()
	servers := natstest.NewCluster(t, 3)
	open := func(name string) *node {
		o := options(t, name)
		o.URL, o.Replicas = servers.URL(), 3
		n := openNode(t, o)
		n.run()
		return n
	}
	a, b := open("a"), open("b")
	l := startLoad(t, a.write(), b.write())
	l.progress(t)
	for range testkit.Rounds(1, 3) {
		if _, err := a.conn.Request("$JS.API.STREAM.LEADER.STEPDOWN."+a.streamName(), nil, time.Second); err != nil {
			t.Fatal(err)
		}
		l.progress(t)
	}
	if testkit.Stress() { // it may take servers 10 s to elect a leader
		for _, s := range servers {
			s.Stop()
			l.progress(t)
			s.Start()
			servers.WaitReady(t)
		}
		for _, s := range servers {
			s.Stop()
		}
		for _, s := range servers {
			s.Start()
		}
		servers.WaitReady(t)
		l.progress(t)
	}
	confirmed := l.end()
	info, err := a.stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, func() bool {
		return a.current().sequence >= info.State.LastSeq && b.current().sequence >= info.State.LastSeq
	}, "everything is read")
	x, y := a.got.Ticks(), b.got.Ticks()
	if n := min(len(x), len(y)); !slices.Equal(x[:n], y[:n]) || a.Start().Position.Epoch != epochOf(info) {
		t.Error("the nodes disagree")
	}
	times := map[quote.Size]int{}
	for _, k := range x {
		times[k.Volume]++
	}
	for _, v := range confirmed {
		if times[v] != 1 {
			t.Errorf("tick with volume %d was confirmed and is %d times in the log", v, times[v])
		}
	}
}

// load publishes ticks by whichever node is the writer.
type load struct {
	mu        sync.Mutex
	confirmed []quote.Size
	stop      context.CancelFunc
	done      sync.WaitGroup
}

func startLoad(t *testing.T, writers ...<-chan writing) *load {
	l := &load{}
	ctx, stop := context.WithCancel(t.Context())
	l.stop = stop
	for i, terms := range writers {
		volume := quote.Size(1_000_000 * i)
		l.done.Go(func() {
			for {
				var w writing
				select {
				case <-ctx.Done():
					return
				case w = <-terms:
				}
				for w.ctx.Err() == nil && ctx.Err() == nil {
					volume++
					confirm := w.batches(&batch.Batch{Ticks: []quote.Tick{{Volume: volume}}})
					if err := confirm(ctx); err == nil {
						l.mu.Lock()
						l.confirmed = append(l.confirmed, volume)
						l.mu.Unlock()
					} else if errors.Is(err, context.Canceled) {
						return
					}
				}
			}
		})
	}
	return l
}

// progress waits until more ticks are confirmed.
func (l *load) progress(t *testing.T) {
	t.Helper()
	count := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.confirmed)
	}
	before := count()
	testkit.Eventually(t, func() bool { return count() > before+20 }, "ticks stored")
}

func (l *load) end() []quote.Size {
	l.stop()
	l.done.Wait()
	return l.confirmed
}

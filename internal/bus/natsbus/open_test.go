package natsbus

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

// TestOpenAtOnce: nodes that start at the same time create the stream and the buckets together. NATS doesn't answer all of them, and
// has no leader for what is new, so none may wait for one answer for long.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	url := natstest.NewCluster(t, 3).URL()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var all sync.WaitGroup
	var mu sync.Mutex
	epochs := map[uint64]bool{}
	for _, name := range []string{"a", "b", "c", "d"} {
		all.Go(func() {
			o := options(t, name)
			o.URL, o.Replicas = url, 3
			b, err := Open(ctx, o)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			mu.Lock()
			epochs[b.Start().Position.Epoch] = true
			mu.Unlock()
			b.Close()
		})
	}
	all.Wait()
	if len(epochs) != 1 {
		t.Errorf("epochs %v", epochs)
	}
}

// TestProgress: a node that reads a stream counts the messages that were there when it opened the bus, and those only.
func TestProgress(t *testing.T) {
	t.Parallel()
	o := options(t, "a")
	o.URL = natstest.New(t, nil).URL()
	a := openNode(t, o)
	a.run()
	if read, all := a.Progress(); read != 0 || all != 0 {
		t.Errorf("an empty stream: %d of %d", read, all)
	}
	w := await(t, a.write())
	for range 3 {
		w.publish([]quote.Tick{{Last: 1}})
	}
	testkit.Eventually(t, func() bool { return a.State().Position.Seq == 3 }, "the ticks to be stored")
	o.Name = "b"
	b := openNode(t, o)
	read, all := b.Progress()
	if read != 0 || all == 0 {
		t.Errorf("before it reads: %d of %d", read, all)
	}
	b.run()
	testkit.Eventually(t, b.Ready, "the log to be read")
	w.publish([]quote.Tick{{Last: 1}})
	testkit.Eventually(t, func() bool { return b.State().Position.Seq == 4 }, "the newest tick")
	if read, after := b.Progress(); read != all || after != all {
		t.Errorf("in the end: %d of %d, want %d", read, after, all)
	}
}

// TestOnWait: errors after which the node tries again are reported.
func TestOnWait(t *testing.T) {
	t.Parallel()
	s := natstest.New(t, nil)
	s.Stop()
	o := options(t, "a")
	o.URL = s.URL()
	waited := make(chan error, 100)
	o.OnWait = func(err error) { waited <- err }
	opened := make(chan error)
	go func() {
		b, err := Connect(t.Context(), o)
		if err == nil {
			b.Close()
		}
		opened <- err
	}()
	if err := <-waited; !errors.Is(err, nats.ErrNoServers) {
		t.Error(err)
	}
	s.Start()
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

package natsbus

import (
	"context"
	"sync"
	"testing"

	"ticklane/internal/testkit/natstest"
)

// TestOpenAtOnce: nodes that start at the same time create the stream and the buckets together. NATS doesn't answer all of them, and
// has no leader for what is new, so none may wait for one answer for long.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	url := natstest.NewCluster(t, 3).URL()
	ctx, cancel := context.WithTimeout(context.Background(), 4*quick.ack)
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

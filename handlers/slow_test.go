package handlers_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

var errDiffers = errors.New("a byte differs")

// TestStalledAmongOthers has clients stop reading among 200 others. The others get every byte; the stalled ones are
// disconnected and counted.
func TestStalledAmongOthers(t *testing.T) { onEngines(t, testStalledAmongOthers) }

func testStalledAmongOthers(t *testing.T, engine string) {
	srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.WriteTimeout, s.WriteBuffer = 5*time.Second, 4096 }})
	var others []*testserver.Client
	for range 100 {
		for _, lane := range lanes {
			others = append(others, srv.Stream(lane, "snapshot=false"))
		}
	}
	for _, lane := range lanes {
		srv.SmallStream(lane, "snapshot=false")
	}
	const last, step = 3000, 20
	var readers sync.WaitGroup
	var lost atomic.Bool // a stream of the others broke off
	reached := make([]atomic.Uint64, len(others))
	for k, c := range others {
		readers.Go(func() {
			switch err := c.CompareTicks(last, &reached[k]); {
			case errors.Is(err, errDiffers):
				t.Errorf("client %d on %s: %v", k, c.Format, err)
				lost.Store(true)
			case err != nil:
				t.Errorf("client %d on %s: %v", k, c.Format, err)
				lost.Store(true)
			}
		})
	}
	// No more is published than a socket's buffers hold, so that the others' writes don't block, however slowly they read.
	for seq := uint64(step); seq <= last && !lost.Load(); seq += step {
		srv.Publish(step)
		testkit.Eventually(t, func() bool {
			for k := range reached {
				if reached[k].Load() < seq {
					return lost.Load()
				}
			}
			return true
		}, "the others to read on")
	}
	if lost.Load() {
		for _, c := range others {
			c.NetConn.Close()
		}
		readers.Wait()
		return
	}
	readers.Wait()
	testkit.Eventually(t, func() bool { return liveStreams(srv) <= len(others) }, "the stalled clients to be disconnected")
	for _, lane := range lanes {
		if got := srv.TickLog.Lane(lane); got.Slow != 1 || got.Gaps != 0 || got.Ticks < 100*last {
			t.Errorf("%s: %+v", lane, got)
		}
	}
}

// TestStalledClientRecovers checks that a client that reads again in time gets an exact gap, and loses nothing else.
func TestStalledClientRecovers(t *testing.T) {
	onLanes(t, testserver.Options{Log: stream.Config{Size: 1024, MaxLag: 600}, Settings: func(s *handlers.Settings) { s.WriteBuffer = 4096 }}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		c := srv.SmallStream(lane, "")
		c.Want("snapshot")
		for range 100 {
			srv.Publish(100)
		}
		if c.WantAllTicks(10_000) == 0 {
			t.Error("no gap")
		}
		// It is at the head again.
		srv.Publish(100)
		for i := uint64(10_001); i <= 10_100; i++ {
			if m := c.Want("q"); m.I != i {
				t.Fatalf("%s, want i %d", m.Text, i)
			}
		}
	})
}

// TestFailedWriteEndsTheStream checks that a stream ends with the first write that fails. On engine stream the write is
// fasthttp's, behind a pipe; the stream's next flush would be an hour away here.
func TestFailedWriteEndsTheStream(t *testing.T) {
	onLanes(t, testserver.Options{Log: stream.Config{Heartbeat: time.Hour}}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		c := srv.Stream(lane, "snapshot=false")
		c.Cut(true)
		srv.Publish(1)
		wantNoStreams(srv)
	})
}

package handlers_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

// TestRandomDisconnects disconnects at random, by RST and by FIN, in the middle of messages, at 1,000 ticks/s, on each lane
// and from lane to lane. No tick may be lost or repeated.
func TestRandomDisconnects(t *testing.T) { onEngines(t, testRandomDisconnects) }

func testRandomDisconnects(t *testing.T, engine string) {
	const clients = 5
	disconnects := testkit.Rounds(40, 200)
	srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.MaxStreams = 10_000 }})
	srv.Publish(100)
	stop := srv.PublishRate(1000)
	var all sync.WaitGroup
	for k := range 3 * clients {
		all.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(k)))
			topics := "*"
			if k%5 == 4 {
				topics = "sector:odd"
			}
			res := &resumer{Server: srv, topics: topics}
			for range disconnects {
				lane := lanes[k%2]
				if k >= 2*clients {
					lane = lanes[r.IntN(2)]
				}
				if err := res.resume(lane, r); err != nil {
					t.Errorf("resumer %d on %s: %v", k, lane, err)
					return
				}
			}
		})
	}
	all.Wait()
	stop()
	for _, lane := range lanes {
		if got := srv.TickLog.Lane(lane); got.Resumes < uint64(clients*disconnects*13/10) || got.Gaps != 0 || got.Slow != 0 {
			t.Errorf("%s: %+v", lane, got)
		}
	}
	testkit.Eventually(t, func() bool { srv.Publish(1); return liveStreams(srv) == 0 }, "the streams' end")
}

// resumer is a client that resumes from stream to stream by the last id it received.
type resumer struct {
	*testserver.Server
	topics string
	id     string            // as an EventSource keeps it
	seq    uint64            // of id
	n      map[string]uint64 // of each symbol's last tick
}

// resume opens a stream where the last one ended, reads some messages and disconnects.
func (res *resumer) resume(lane wire.Lane, r *rand.Rand) error {
	query := "topics=" + res.topics
	var c *testserver.Client
	if res.id == "" {
		c = res.Stream(lane, query)
		res.seq, res.n = c.Hello.Head, map[string]uint64{}
	} else {
		c = res.ResumeStream(lane, res.id, query, r.IntN(2) == 0)
		if c.Hello.Resume != "complete" {
			return fmt.Errorf("at %d: %s", res.seq, c.Hello.Text)
		}
	}
	defer c.Cut(r.IntN(2) == 0)
	// A client that is far behind reads up to the head of the start; with a few messages each time it would never get there.
	far := c.Hello.Head > res.seq+500
	for left := 1 + r.IntN(40); left > 0 || far && res.seq < c.Hello.Head; left-- {
		m, err := c.Read()
		if err != nil {
			return err
		}
		if err := res.check(m); err != nil {
			return err
		}
	}
	return nil
}

func (res *resumer) check(m wiretest.Message) error {
	switch m.T {
	case "q":
		if m.I <= res.seq || res.topics == "*" && m.I != res.seq+1 {
			return fmt.Errorf("%s after %d", m.Text, res.seq)
		}
		if last, ok := res.n[m.S]; ok && m.N != last+1 {
			return fmt.Errorf("%s after n %d", m.Text, last)
		}
		if m.Text != res.Ticks.JSON(m.I) {
			return fmt.Errorf("%s, want %s", m.Text, res.Ticks.JSON(m.I))
		}
		res.seq, res.n[m.S] = m.I, m.N
	case "snapshot":
		if res.id != "" {
			return fmt.Errorf("snapshot after a complete resume")
		}
		res.seq = m.I
		for _, raw := range m.Quotes {
			var q wiretest.Message
			if err := q.UnmarshalJSON(raw); err != nil {
				return err
			}
			res.n[q.S] = q.N
		}
	case "hb":
		res.seq = m.Head
	default:
		return fmt.Errorf("%s", m.Text)
	}
	id := fmt.Sprintf("%s-%d", wire.Epoch(res.Ticks.Epoch), res.seq)
	if m.EventID != "" && m.EventID != id {
		return fmt.Errorf("id %s of %s", m.EventID, m.Text)
	}
	res.id = id
	return nil
}

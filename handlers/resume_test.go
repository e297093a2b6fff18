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
	const travellers = 5
	cuts := testkit.Rounds(40, 200)
	srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.MaxStreams = 10_000 }})
	srv.Publish(100)
	stop := srv.PublishRate(1000)
	var all sync.WaitGroup
	for k := range 3 * travellers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(k)))
			topics := "*"
			if k%5 == 4 {
				topics = "sector:odd"
			}
			tr := &traveller{Server: srv, topics: topics}
			for range cuts {
				lane := lanes[k%2]
				if k >= 2*travellers {
					lane = lanes[r.IntN(2)]
				}
				if err := tr.leg(lane, r); err != nil {
					t.Errorf("traveller %d on %s: %v", k, lane, err)
					return
				}
			}
		})
	}
	all.Wait()
	stop()
	for _, lane := range lanes {
		if got := srv.TickLog.Lane(lane); got.Resumes < uint64(travellers*cuts*13/10) || got.Gaps != 0 || got.Slow != 0 {
			t.Errorf("%s: %+v", lane, got)
		}
	}
	testkit.Eventually(t, func() bool { srv.Publish(1); return liveStreams(srv) == 0 }, "the streams' end")
}

// traveller is a client that resumes from stream to stream by the last id it received.
type traveller struct {
	*testserver.Server
	topics string
	id     string // as an EventSource keeps it
	place  uint64 // its seq
	n      map[string]uint64
}

// leg opens a stream where the last one ended, reads some messages and disconnects.
func (tr *traveller) leg(lane wire.Lane, r *rand.Rand) error {
	query := "topics=" + tr.topics
	var c *testserver.Client
	if tr.id == "" {
		c = tr.Stream(lane, query)
		tr.place, tr.n = c.Hello.Head, map[string]uint64{}
	} else {
		c = tr.ResumeStream(lane, tr.id, query, r.IntN(2) == 0)
		if c.Hello.Resume != "complete" {
			return fmt.Errorf("at %d: %s", tr.place, c.Hello.Text)
		}
	}
	defer c.Cut(r.IntN(2) == 0)
	// A client that is far behind reads up to the head of the start; with a few messages each time it would never get there.
	far := c.Hello.Head > tr.place+500
	for left := 1 + r.IntN(40); left > 0 || far && tr.place < c.Hello.Head; left-- {
		m, err := c.Read()
		if err != nil {
			return err
		}
		if err := tr.see(m); err != nil {
			return err
		}
	}
	return nil
}

func (tr *traveller) see(m wiretest.Message) error {
	switch m.T {
	case "q":
		if m.I <= tr.place || tr.topics == "*" && m.I != tr.place+1 {
			return fmt.Errorf("%s after %d", m.Text, tr.place)
		}
		if had, ok := tr.n[m.S]; ok && m.N != had+1 {
			return fmt.Errorf("%s after n %d", m.Text, had)
		}
		if m.Text != tr.Ticks.JSON(m.I) {
			return fmt.Errorf("%s, want %s", m.Text, tr.Ticks.JSON(m.I))
		}
		tr.place, tr.n[m.S] = m.I, m.N
	case "snapshot":
		if tr.id != "" {
			return fmt.Errorf("snapshot after a complete resume")
		}
		tr.place = m.I
		for _, raw := range m.Quotes {
			var q wiretest.Message
			if err := q.UnmarshalJSON(raw); err != nil {
				return err
			}
			tr.n[q.S] = q.N
		}
	case "hb":
		tr.place = m.Head
	default:
		return fmt.Errorf("%s", m.Text)
	}
	id := fmt.Sprintf("%s-%d", wire.Epoch(tr.Ticks.Epoch), tr.place)
	if m.EventID != "" && m.EventID != id {
		return fmt.Errorf("id %s of %s", m.EventID, m.Text)
	}
	tr.id = id
	return nil
}

package handlers

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"ticklane/internal/wire"
)

// TestThousandCuts: connections cut at random, by RST and by FIN, in the midst of messages, at 1,000 ticks/s: 1,000 on
// each lane and 1,000 that change the lane. No tick is lost or comes twice.
func TestThousandCuts(t *testing.T) {
	const travellers, cuts = 5, 200
	h := open(t, plan{settings: func(s *Settings) { s.MaxStreams = 10_000 }})
	h.publish(100)
	stop := h.steady(1000)
	var all sync.WaitGroup
	for k := range 3 * travellers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(k)))
			topics := "*"
			if k%5 == 4 {
				topics = "sector:odd"
			}
			tr := &traveller{house: h, topics: topics}
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
		if got := h.log.Lane(lane); got.Resumes < 1300 || got.Gaps != 0 || got.Slow != 0 {
			t.Errorf("%s: %+v", lane, got)
		}
	}
	until(t, "the streams' end", func() bool { h.publish(1); return h.live() == 0 })
}

// traveller is a client that goes on from stream to stream by the id it saved last.
type traveller struct {
	*house
	topics string
	id     string // as SSE would save it
	place  uint64 // its seq
	n      map[string]uint64
}

// leg opens a stream where the last one was left, reads some messages and cuts it.
func (tr *traveller) leg(lane wire.Lane, r *rand.Rand) error {
	query := "topics=" + tr.topics
	var c *client
	if tr.id == "" {
		c = tr.stream(lane, query)
		tr.place, tr.n = c.hello.Head, map[string]uint64{}
	} else {
		c = tr.from(lane, tr.id, query, r.IntN(2) == 0)
		if c.hello.Resume != "complete" {
			return fmt.Errorf("at %d: %s", tr.place, c.hello.text)
		}
	}
	defer c.cut(r.IntN(2) == 0)
	// One that is far behind reads up to where the head was: some messages a leg would never get it there.
	far := c.hello.Head > tr.place+500
	for left := 1 + r.IntN(40); left > 0 || far && tr.place < c.hello.Head; left-- {
		m, err := c.read()
		if err != nil {
			return err
		}
		if err := tr.see(m); err != nil {
			return err
		}
	}
	return nil
}

func (tr *traveller) see(m message) error {
	switch m.T {
	case "q":
		if m.I <= tr.place || tr.topics == "*" && m.I != tr.place+1 {
			return fmt.Errorf("%s after %d", m.text, tr.place)
		}
		if had, ok := tr.n[m.S]; ok && m.N != had+1 {
			return fmt.Errorf("%s after n %d", m.text, had)
		}
		if m.text != tr.tape.text(m.I) {
			return fmt.Errorf("%s, want %s", m.text, tr.tape.text(m.I))
		}
		tr.place, tr.n[m.S] = m.I, m.N
	case "snapshot":
		if tr.id != "" {
			return fmt.Errorf("snapshot after a complete resume")
		}
		tr.place = m.I
		for _, raw := range m.Quotes {
			var q message
			if err := q.UnmarshalJSON(raw); err != nil {
				return err
			}
			tr.n[q.S] = q.N
		}
	case "hb":
		tr.place = m.Head
	default:
		return fmt.Errorf("%s", m.text)
	}
	id := fmt.Sprintf("%s-%d", wire.Epoch(tr.tape.epoch), tr.place)
	if m.id != "" && m.id != id {
		return fmt.Errorf("id %s of %s", m.id, m.text)
	}
	tr.id = id
	return nil
}

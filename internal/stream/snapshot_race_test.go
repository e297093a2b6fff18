package stream

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// TestSharedSnapshotsConcurrently: while ticks are appended, clients of many symbols connect, change their topics, pause
// until they lag, and are cut or end. Each checks everything that it gets.
func TestSharedSnapshotsConcurrently(t *testing.T) {
	for _, name := range []string{"uncompressed", compressed} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seeds(t).Uint64(), 0))
			ids := make([]quote.ID, testkit.Rounds(6000, 200_000))
			for i := range ids {
				ids[i] = quote.ID(r.IntN(cachedSymbols))
			}
			p := fixtureOf(testUniverse(t, cachedSymbols), ids...)
			l := p.log(t, Config{Size: 8192, MaxLag: 1000, SnapshotChunk: 8 << 10})
			p.play(l, 1000)
			done := make(chan struct{})
			var running sync.WaitGroup
			for range 16 {
				r := rand.New(rand.NewPCG(r.Uint64(), 0))
				running.Go(func() {
					for {
						select {
						case <-done:
							return
						default:
							raceOne(t, p, l, r, done)
						}
					}
				})
			}
			for head := uint64(1000); head < uint64(len(ids)); time.Sleep(200 * time.Microsecond) {
				head = min(head+40, uint64(len(ids)))
				p.play(l, head)
			}
			close(done)
			running.Wait()
			l.bulk.mu.Lock()
			defer l.bulk.mu.Unlock()
			if len(l.bulk.holders) > 0 || l.bulk.queue != nil {
				t.Errorf("%d clients have a slot, %d are queued", len(l.bulk.holders), len(l.bulk.queue))
			}
		})
	}
}

// raceClient is a Writer that checks what it gets, and now and then does something else.
type raceClient struct {
	*client
	*checker
	rand     *rand.Rand
	written  []byte // not flushed
	left     int    // flushes until it is cut
	commands int64
}

var errCut = errors.New("cut")

var raceTopics = [][]string{{"*"}, {"*"}, {"sector:odd"}, {"sector:even"}, {"S1", "S2"}}

func raceOne(t *testing.T, p *fixture, l *Log, r *rand.Rand, done chan struct{}) {
	opt := Options{
		Format:  wire.Format(r.IntN(int(wire.Formats))),
		Topics:  p.topics(t, raceTopics[r.IntN(len(raceTopics))]...),
		MaxRead: []int{0, 5000}[r.IntN(2)],
	}
	head := l.Head().Seq
	if r.IntN(3) == 0 {
		opt.From, opt.Position = FromPosition, position(head-min(head, uint64(r.IntN(10_000))))
	}
	c := newClient(t, l, opt)
	defer c.Close()
	c.byRun = true
	w := &raceClient{client: c, checker: newChecker(t, p, opt.Topics, ModeAll), rand: r, left: 1 + r.IntN(60)}
	if opt.From == FromPosition {
		w.start(opt.Position.Seq)
	}
	if r.IntN(10) == 0 {
		end := time.AfterFunc(time.Duration(r.IntN(int(5*time.Millisecond))), func() { c.End(wire.ByeShutdown) })
		defer end.Stop()
	}
	if err := c.Run(w, done); err != nil && err != errCut {
		t.Error(err)
	}
}

func (w *raceClient) Write(b []byte) (int, error) {
	w.written = append(w.written, b...)
	return len(b), nil
}

func (w *raceClient) Flush() error {
	w.check(w.decode(w.written)...)
	w.written = nil
	if w.left--; w.left == 0 {
		return errCut
	}
	switch w.rand.IntN(8) {
	case 0, 1:
		w.commands++
		cmd := wire.Command{Action: wire.ActionSubscribe, Topics: raceTopics[w.rand.IntN(len(raceTopics))], ID: &w.commands}
		if w.rand.IntN(2) == 0 {
			cmd.Action = wire.ActionUnsubscribe
		}
		return w.EnqueueCommand(cmd, noon)
	case 2:
		time.Sleep(time.Duration(w.rand.IntN(int(10 * time.Millisecond))))
	}
	return nil
}

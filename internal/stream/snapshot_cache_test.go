package stream

import (
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// manySymbols have snapshots that another goroutine renders, and that are shared while they are a little old.
const manySymbols = fewSymbols + 32

// withManySymbols runs f for each format in a synctest bubble, with a log of many symbols at seq 400.
func withManySymbols(t *testing.T, cfg Config, f func(t *testing.T, p *fixture, l *Log, format wire.Format)) {
	ids := make([]quote.ID, 2000)
	for i := range ids {
		ids[i] = quote.ID(i * 7 % manySymbols)
	}
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		synctest.Test(t, func(t *testing.T) {
			p := fixtureOf(testUniverse(t, manySymbols), ids...)
			l := p.log(t, cfg)
			p.play(l, 400)
			f(t, p, l, format)
		})
	})
}

// TestSharedSnapshot: a client gets the snapshot that another client needed, then all ticks since.
func TestSharedSnapshot(t *testing.T) {
	withManySymbols(t, Config{Size: 1024, SnapshotChunk: 4096}, func(t *testing.T, p *fixture, l *Log, format wire.Format) {
		opt := Options{Format: format, Topics: p.topics(t, "*")}
		for _, c := range []struct {
			ticks uint64 // since the previous client
			pause time.Duration
			at    uint64 // of its snapshot
		}{
			{0, 0, 400},
			{manySymbols / 8, 0, 400},
			{1, 0, 400 + manySymbols/8 + 1}, // many ticks beside the snapshot
			{1, 2 * snapshotAge, 400 + manySymbols/8 + 2},
			{0, 2 * snapshotAge, 400 + manySymbols/8 + 2},
		} {
			p.play(l, l.Head().Seq+c.ticks)
			time.Sleep(c.pause)
			cl, w := newClient(t, l, opt), newChecker(t, p, opt.Topics, ModeAll)
			got := cl.take(noon)
			w.check(got...)
			if w.expectNone(l.Head().Seq); w.due || got[1].T != "snapshot" || got[1].I != c.at || got[1].Parts < 2 {
				t.Errorf("at head %d: snapshot as of %d in %d parts, want %d; complete %v", l.Head().Seq, got[1].I, got[1].Parts, c.at, !w.due)
			}
			cl.Close()
		}
	})
}

// TestSharedSnapshotAfterGap: a snapshot older than the ticks that a client has isn't for that client.
func TestSharedSnapshotAfterGap(t *testing.T) {
	withManySymbols(t, Config{Size: 1024, SnapshotChunk: 4096, MaxLag: 8}, func(t *testing.T, p *fixture, l *Log, format wire.Format) {
		opt := Options{Format: format, Topics: p.topics(t, "*")}
		cl, w := subscribe(t, l, opt), newChecker(t, p, opt.Topics, ModeAll)
		w.check(cl.take(noon)...)
		p.play(l, 404)
		w.check(cl.take(noon)...)
		p.play(l, 404+9) // it lags; the snapshot of its start, as of 400, could still be shared
		w.check(cl.take(noon)...)
		if w.expectNone(l.Head().Seq); len(w.gaps) != 1 || w.gaps[0].From != 405 || w.due {
			t.Errorf("gaps %v, a snapshot is due: %v", w.gaps, w.due)
		}
	})
}

// TestSharedSnapshotOfCommand: after a change to all topics the ticks go on from the shared snapshot's position.
func TestSharedSnapshotOfCommand(t *testing.T) {
	withManySymbols(t, Config{Size: 1024, SnapshotChunk: 4096}, func(t *testing.T, p *fixture, l *Log, format wire.Format) {
		opt := Options{Format: format, Topics: p.topics(t, "S1")}
		cl, w := subscribe(t, l, opt), newChecker(t, p, opt.Topics, ModeAll)
		w.check(cl.take(noon)...)
		if err := cl.EnqueueCommand(command("subscribe", 1, "*"), noon); err != nil {
			t.Fatal(err)
		}
		w.check(cl.decode(cl.Next(noon))...) // nothing: the snapshot is being rendered
		p.play(l, 600)                       // meanwhile
		w.check(cl.take(noon)...)
		if w.expectNone(600); w.due || !w.topics.Every() {
			t.Errorf("topics %v, a snapshot is due: %v", w.topics.Names(), w.due)
		}
	})
}

// TestSnapshotBudget: clients with distinct topics get whole snapshots, while the cache keeps only the newest of them.
func TestSnapshotBudget(t *testing.T) {
	withManySymbols(t, Config{Size: 1024, SnapshotChunk: 4096}, func(t *testing.T, p *fixture, l *Log, format wire.Format) {
		c := &l.snapshots
		kept := func() (n, bytes int) {
			c.mu.Lock()
			defer c.mu.Unlock()
			for _, e := range c.entries {
				if e.newest != nil {
					if e.newest.at+1 < l.Head().Seq {
						t.Errorf("at %d: the snapshot as of %d is kept", l.Head().Seq, e.newest.at)
					}
					n++
					bytes += e.newest.size
				}
			}
			if bytes != c.bytes {
				t.Errorf("%d bytes counted, %d kept", c.bytes, bytes)
			}
			return n, bytes
		}
		for k := range 6 {
			var names []string
			for id := range manySymbols {
				if id != k {
					names = append(names, p.u.Instrument(quote.ID(id)).Symbol)
				}
			}
			p.play(l, l.Head().Seq+1)
			topics := p.topics(t, names...)
			cl, w := newClient(t, l, Options{Format: format, Topics: topics}), newChecker(t, p, topics, ModeAll)
			first := cl.decode(cl.Next(noon)) // the hello
			synctest.Wait()                   // the snapshot is rendered
			n, bytes := kept()
			want := min(k+1, 2)
			switch k {
			case 0:
				c.budget = bytes * 5 / 2
			case 4:
				c.budget = 1
			case 5:
				want = 1 // the newest is kept, however large
			}
			if n != want {
				t.Errorf("client %d: %d snapshots of %d bytes, want %d", k, n, bytes, want)
			}
			w.check(append(first, cl.take(noon)...)...)
			if w.expectNone(l.Head().Seq); w.due {
				t.Errorf("client %d: a snapshot is due", k)
			}
			cl.Close()
		}
		time.Sleep(2 * snapshotAge)
		synctest.Wait()
		if n, _ := kept(); n != 0 || len(c.entries) != 0 {
			t.Errorf("%d snapshots kept", n)
		}
	})
}

// TestAbandonedSnapshot: a snapshot that no client waits for any more isn't rendered.
func TestAbandonedSnapshot(t *testing.T) {
	withManySymbols(t, Config{Size: 1024}, func(t *testing.T, p *fixture, l *Log, format wire.Format) {
		for range cap(l.snapshots.workers) {
			l.snapshots.workers <- struct{}{}
		}
		cl := newClient(t, l, Options{Format: format, Topics: p.topics(t, "*")})
		if got := kinds(cl.decode(cl.Next(noon))); got != "hello" || len(cl.Next(noon)) > 0 || !cl.awaiting {
			t.Errorf("got %s, awaiting %v", got, cl.awaiting)
		}
		cl.Close()
		for range cap(l.snapshots.workers) {
			<-l.snapshots.workers
		}
		synctest.Wait()
		l.snapshots.mu.Lock()
		defer l.snapshots.mu.Unlock()
		if n := len(l.snapshots.entries); n != 0 {
			t.Errorf("%d snapshots kept", n)
		}
	})
}

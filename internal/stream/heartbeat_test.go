package stream

import (
	"testing"
	"time"

	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

func TestHeartbeatAfterSilence(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		p := newFixture(t, 100)
		l := p.log(t, Config{Size: 128, Heartbeat: time.Second})
		c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "S9")})
		w := newChecker(t, p, c.opt.Topics, ModeAll)
		w.check(c.take(noon)...)
		p.play(l, 2)
		for s := 1; s <= 3; s++ {
			due := noon.Add(time.Duration(s) * time.Second)
			if got := c.take(due.Add(-1)); len(got) != 0 {
				t.Fatalf("too early: %s", kinds(got))
			}
			if !c.Deadline().Equal(due) {
				t.Fatalf("deadline %v, want %v", c.Deadline(), due)
			}
			got := c.take(due)
			w.check(got...)
			if kinds(got) != "hb" || got[0].Head != 2 || format == wire.SSEJSON && got[0].id != position(2).String() {
				t.Fatalf("got %+v", got)
			}
		}
		// A tick counts too: a heartbeat is due only after silence.
		p.play(l, 3)
		w.check(c.take(noon.Add(3500 * time.Millisecond))...)
		if got := c.take(noon.Add(4 * time.Second)); len(got) != 0 || w.ticks != 1 {
			t.Errorf("got %s, %d ticks", kinds(got), w.ticks)
		}
		if got := c.take(noon.Add(4500 * time.Millisecond)); kinds(got) != "hb" {
			t.Errorf("got %s", kinds(got))
		}
	})
}

// TestNoHeartbeatAtTheHead: in a log so small that a quarter of it is no tick.
func TestNoHeartbeatAtTheHead(t *testing.T) {
	p := newFixture(t, 10)
	l := p.log(t, Config{Size: 3})
	c := subscribe(t, l, Options{Topics: p.topics(t, "S9")})
	c.take(noon)
	if got := c.take(noon); len(got) > 0 {
		t.Errorf("got %s", kinds(got))
	}
}

// TestHeartbeatForQuietTopics: while the log is overwritten many times, the newest position that a client of a quiet topic
// holds stays in the log, although only the notifier notifies the subscriber.
func TestHeartbeatForQuietTopics(t *testing.T) {
	t.Parallel()
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, of := range []struct {
			size int
			mode Mode
		}{{1000, ModeAll}, {64, ModeAll}, {7, ModeAll}, {1000, ModeLatest}, {7, ModeLatest}} {
			size, mode := of.size, of.mode
			p := newFixture(t, testkit.Rounds(4*max(size, 50), 20*max(size, 100)))
			l := p.log(t, Config{Size: size})
			c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "S9"), Mode: mode})
			w := newChecker(t, p, c.opt.Topics, mode)
			w.check(c.take(noon)...)
			beats, step := 0, uint64(max(1, size/16))
			for seq := step; seq <= uint64(len(p.ticks)); seq += step {
				p.play(l, seq)
				awaitNotifier(t, l)
				select {
				case <-c.notifyCh:
					got := c.take(noon)
					w.check(got...)
					beats += len(got)
				default:
				}
				if behind := seq - w.checked; behind > uint64(size)/2+1 {
					t.Fatalf("log of %d: at %d the client's id is %d old", size, seq, behind)
				}
				if seq > uint64(size) {
					// In mode all: in mode latest, any position is complete.
					s := l.Subscribe(Options{Topics: c.opt.Topics, From: FromPosition, Position: position(w.checked)})
					if _, resume := s.startPosition(seq); resume != wire.ResumeComplete {
						t.Fatalf("log of %d: at %d the client would resume from %d: %s", size, seq, w.checked, resume)
					}
					s.Close()
				}
			}
			if most := len(p.ticks) / max(1, size/4); beats == 0 || beats > most+1 {
				t.Errorf("log of %d: %d heartbeats in %d ticks, want at most %d", size, beats, len(p.ticks), most)
			}
		}
	})
}

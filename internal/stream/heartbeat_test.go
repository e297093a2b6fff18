package stream

import (
	"runtime"
	"testing"
	"time"

	"ticklane/internal/wire"
)

func TestHeartbeatAfterSilence(t *testing.T) {
	onEachFormat(t, func(t *testing.T, format wire.Format) {
		p := newTape(t, 100)
		l := p.log(t, Config{Size: 128, Heartbeat: time.Second})
		c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "S9")})
		w := newWitness(t, p, c.opt.Topics, ModeAll)
		w.see(c.take(noon)...)
		p.play(l, 2)
		for s := 1; s <= 3; s++ {
			due := noon.Add(time.Duration(s) * time.Second)
			if got := c.take(due.Add(-1)); len(got) != 0 {
				t.Fatalf("before its time: %s", kinds(got))
			}
			if !c.Deadline().Equal(due) {
				t.Fatalf("deadline %v, want %v", c.Deadline(), due)
			}
			got := c.take(due)
			w.see(got...)
			if kinds(got) != "hb" || got[0].Head != 2 || format == wire.SSEJSON && got[0].id != position(2).String() {
				t.Fatalf("got %+v", got)
			}
		}
		// Any message counts as one, so that a heartbeat comes after silence alone.
		p.play(l, 3)
		w.see(c.take(noon.Add(3500 * time.Millisecond))...)
		if got := c.take(noon.Add(4 * time.Second)); len(got) != 0 || w.ticks != 1 {
			t.Errorf("got %s, %d ticks", kinds(got), w.ticks)
		}
		if got := c.take(noon.Add(4500 * time.Millisecond)); kinds(got) != "hb" {
			t.Errorf("got %s", kinds(got))
		}
	})
}

// TestQuietTopicNeverAgesOut: while the market turns the log over many times, the newest id that a client of a quiet
// topic holds stays in the log, woken by nothing but the waker.
func TestQuietTopicNeverAgesOut(t *testing.T) {
	t.Parallel()
	onEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, of := range []struct {
			size int
			mode Mode
		}{{1000, ModeAll}, {64, ModeAll}, {7, ModeAll}, {1000, ModeLatest}, {7, ModeLatest}} {
			size, mode := of.size, of.mode
			p := newTape(t, 20*max(size, 100))
			l := p.log(t, Config{Size: size})
			c := subscribe(t, l, Options{Format: format, Topics: p.topics(t, "S9"), Mode: mode})
			w := newWitness(t, p, c.opt.Topics, mode)
			w.see(c.take(noon)...)
			beats, step := 0, uint64(max(1, size/16))
			for seq := step; seq <= uint64(len(p.ticks)); seq += step {
				p.play(l, seq)
				settle(l)
				select {
				case <-c.Notified():
					got := c.take(noon)
					w.see(got...)
					beats += len(got)
				default:
				}
				if behind := seq - w.place; behind > uint64(size)/2+1 {
					t.Fatalf("log of %d: at %d the client's id is %d old", size, seq, behind)
				}
				if seq > uint64(size) {
					// In mode all, for in mode latest any position is complete.
					back := subscribe(t, l, Options{Format: format, Topics: c.opt.Topics, From: FromPosition, Position: position(w.place)})
					if got := back.take(noon); got[0].Resume != wire.ResumeComplete {
						t.Fatalf("log of %d: at %d the client came back with %d: %s", size, seq, w.place, got[0].text)
					}
					back.Close()
				}
			}
			if most := len(p.ticks) / max(1, size/4); beats == 0 || beats > most+1 {
				t.Errorf("log of %d: %d heartbeats in %d ticks, want at most %d", size, beats, len(p.ticks), most)
			}
		}
	})
}

// settle waits until the waker has looked at the whole log.
func settle(l *Log) {
	for {
		l.notifier.mu.Lock()
		done := l.notifier.scanned
		l.notifier.mu.Unlock()
		if done >= l.Head().Seq {
			return
		}
		runtime.Gosched()
	}
}

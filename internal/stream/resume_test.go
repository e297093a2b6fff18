package stream

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// TestCuts cuts a stream a thousand times at random, while ticks are appended at speed, and comes back each time with
// the newest position that the client holds. Nothing is lost or doubled while it is in the log; else the gap is exact.
func TestCuts(t *testing.T) {
	t.Parallel()
	const size, total = 512, 300_000
	p := newTape(t, total)
	onEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, c := range []struct {
			topics string
			mode   Mode
		}{{"*", ModeAll}, {"sector:odd", ModeAll}, {"S3,S9", ModeAll}, {"*", ModeLatest}, {"S1,S2,S9", ModeLatest}} {
			t.Run(fmt.Sprint(c.topics, " in mode ", c.mode), func(t *testing.T) {
				l := p.log(t, Config{Size: size})
				cuts := 1000
				if raced && l.cfg.Compress != CompressOff {
					cuts = 200 // each begins an encoder and an inflater
				}
				topics := p.topics(t, quote.SplitTopics(c.topics)...)
				r := rand.New(rand.NewPCG(uint64(format), uint64(len(c.topics))))
				w := newWitness(t, p, topics, c.mode)
				held := uint64(0) // the newest position that the client was told
				resumed := map[string]int{}
				ahead := longestSilence(p, topics) + 1 // enough for one tick of its own, so that waiting ends
				market := openExchange(p, l)
				defer market.stop()
				for cut := 0; cut < cuts || w.ticks < uint64(cuts); cut++ {
					if l.Head().Seq+10*size > total {
						t.Fatalf("the tape ends at cut %d", cut)
					}
					cl := subscribe(t, l, Options{
						Format: format, Topics: topics, Mode: c.mode, From: FromPosition, Position: position(held), MaxRead: 100 + r.IntN(700),
					})
					asked := held
					w.hello = message{}
					for left := 1 + r.IntN(6); left > 0; {
						market.allow(held + ahead)
						b := cl.Next(noon)
						if len(b) == 0 {
							<-cl.Notified()
							continue
						}
						if left--; left == 0 {
							b = b[:r.IntN(len(b)+1)] // the cut goes through the midst of a message
						}
						for _, m := range cl.decode(slices.Clone(b)) {
							w.see(m)
							if at, ok := holds(format, m); ok {
								held = at
							}
							if m.T == "hello" {
								resumed[m.Resume]++
								want := wire.ResumeComplete
								if c.mode == ModeAll && asked+1 < m.Oldest {
									want = wire.ResumeGap
								}
								if m.Resume != want {
									t.Fatalf("resume %s from %d, oldest %d; want %s", m.Resume, asked, m.Oldest, want)
								}
							}
						}
					}
					cl.Close()
					w.place = held
					if cut%(cuts/50) == 0 {
						market.await(held + uint64(r.IntN(3*size)))
					}
				}
				market.stop()
				cl := subscribe(t, l, Options{Format: format, Topics: topics, Mode: c.mode, From: FromPosition, Position: position(held)})
				w.hello = message{}
				w.see(cl.take(noon)...)
				w.nothing(l.Head().Seq, t.Fatalf)
				// How many hellos come through whole depends on where a cut goes, and so on the moment; not what they say.
				if gaps := resumed[wire.ResumeGap]; resumed[wire.ResumeComplete] == 0 || (gaps > 0) != (c.mode == ModeAll) {
					t.Errorf("resumed %v", resumed)
				}
			})
		}
	})
}

// longestSilence is the most ticks of others that stand between two of the topics, but for the tape's end.
func longestSilence(p *tape, topics quote.Topics) (most uint64) {
	var last uint64
	for _, k := range p.ticks {
		if topics.Has(k.Symbol) {
			most = max(most, k.Seq-last)
			last = k.Seq
		}
	}
	return most
}

// holds is the position that a message gives its client: the SSE id, or what says the same on WebSocket.
func holds(format wire.Format, m message) (seq uint64, ok bool) {
	if format == wire.SSEJSON {
		if m.id == "" {
			return 0, false
		}
		at, err := quote.ParsePosition(m.id)
		return at.Seq, err == nil
	}
	switch m.T {
	case "q", "snapshot", "subscription":
		return m.I, true
	case "gap":
		return m.To, true
	case "hb":
		return m.Head, true
	}
	return 0, false
}

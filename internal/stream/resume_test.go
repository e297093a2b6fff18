package stream

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// TestResumeAfterCuts cuts a connection many times at random, while ticks are appended, and resumes each time from the newest
// position that the client has. While that is in the log, nothing is lost or repeated; otherwise there is an exact gap.
func TestResumeAfterCuts(t *testing.T) {
	t.Parallel()
	const size = 512
	cuts := testkit.Rounds(100, 2000)
	total := cuts * 800
	p := newFixture(t, total)
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, c := range []struct {
			topics string
			mode   Mode
		}{{"*", ModeAll}, {"sector:odd", ModeAll}, {"S3,S9", ModeAll}, {"*", ModeLatest}, {"S1,S2,S9", ModeLatest}} {
			t.Run(fmt.Sprint(c.topics, " in mode ", c.mode), func(t *testing.T) {
				l := p.log(t, Config{Size: size})
				topics := p.topics(t, strings.Split(c.topics, ",")...)
				r := rand.New(rand.NewPCG(uint64(format), uint64(len(c.topics))))
				w := newChecker(t, p, topics, c.mode)
				held := uint64(0) // the newest position that the client has
				resumed := map[string]int{}
				ahead := longestSilence(p, topics) + 1 // contains a tick of the topics, so that waiting ends
				appender := startAppender(p, l)
				defer appender.stop()
				for cut := 0; cut < cuts || w.ticks < uint64(cuts); cut++ {
					if l.Head().Seq+10*size > uint64(total) {
						t.Fatalf("out of ticks at cut %d", cut)
					}
					cl := subscribe(t, l, Options{
						Format: format, Topics: topics, Mode: c.mode, From: FromPosition, Position: position(held), MaxRead: 100 + r.IntN(700),
					})
					from := held
					w.hello = message{}
					for left := 1 + r.IntN(6); left > 0; {
						appender.allow(held + ahead)
						b := cl.Next(noon)
						if len(b) == 0 {
							<-cl.notifyCh
							continue
						}
						if left--; left == 0 {
							b = b[:r.IntN(len(b)+1)] // the connection breaks within a message
						}
						for _, m := range cl.decode(slices.Clone(b)) {
							w.check(m)
							if at, ok := positionOf(format, m); ok {
								held = at
							}
							if m.T == "hello" {
								resumed[m.Resume]++
								want := wire.ResumeComplete
								if c.mode == ModeAll && from+1 < m.Oldest {
									want = wire.ResumeGap
								}
								if m.Resume != want {
									t.Fatalf("resume %s from %d, oldest %d; want %s", m.Resume, from, m.Oldest, want)
								}
							}
						}
					}
					cl.Close()
					w.checked = held
					if cut%(cuts/50) == 0 {
						appender.await(held + uint64(r.IntN(3*size)))
					}
				}
				appender.stop()
				cl := subscribe(t, l, Options{Format: format, Topics: topics, Mode: c.mode, From: FromPosition, Position: position(held)})
				w.hello = message{}
				w.check(cl.take(noon)...)
				w.expectNone(l.Head().Seq)
				// The number of complete hellos depends on timing.
				if gaps := resumed[wire.ResumeGap]; resumed[wire.ResumeComplete] == 0 || (gaps > 0) != (c.mode == ModeAll) {
					t.Errorf("resumed %v", resumed)
				}
			})
		}
	})
}

// longestSilence returns the most ticks of other topics between two of these topics.
func longestSilence(p *fixture, topics quote.Topics) (most uint64) {
	var last uint64
	for _, k := range p.ticks {
		if topics.Has(k.Symbol) {
			most = max(most, k.Seq-last)
			last = k.Seq
		}
	}
	return most
}

// positionOf returns the position that a message gives its client: the SSE id, or the equivalent on WebSocket.
func positionOf(format wire.Format, m message) (seq uint64, ok bool) {
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

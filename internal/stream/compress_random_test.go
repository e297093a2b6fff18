package stream

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// Compressed bytes that are handed to a client whose window holds something else are no error to it: they are silently
// another text. So whatever clients do, every byte that they inflate is held against the tape.

// fate tells what happens next: a number below n.
type fate func(n int) int

// scene is clients who come, read, skip, change, fall behind and go.
type scene struct {
	t       *testing.T
	tape    *tape
	log     *Log
	fate    fate
	actors  []*actor
	ids     int64
	packed  uint64 // bytes that came of compression
	shared  int    // actors that were ever in step
	entered int
}

type actor struct {
	*client
	*witness
	done   bool
	synced bool // has been in step with a set
}

func newScene(t *testing.T, p *tape, fate fate) *scene {
	cfg := Config{
		Size:              []int{8192, 300, 2000}[fate(3)],
		Compress:          []string{CompressOn, CompressOn, CompressAuto}[fate(3)],
		MaxSharedEncoders: []int{2, 16, 16, 16, 0}[fate(5)],
		OnLag:             []string{OnLagGap, OnLagLatest}[fate(2)],
		MaxLag:            []int{0, 0, 50}[fate(3)],
	}
	return &scene{t: t, tape: p, log: p.log(t, cfg), fate: fate}
}

var sceneTopics = [][]string{
	{"*"}, {"sector:odd"}, {"S1"}, {"sector:odd", "sector:even"}, {"S1", "S2", "S9"}, {"*"}, {"*"}, {"*"}, {"sector:odd"},
}

func (s *scene) enter() {
	kinds := [][]Compression{wire.SSE: {CompressGzip, CompressGzip, CompressNone}, wire.WS: {CompressDeflate, CompressPerMessage, CompressNone}}
	format := wire.Format(s.fate(int(wire.Formats)))
	opt := Options{
		Format:        format,
		Compress:      kinds[format.Lane()][s.fate(3)],
		Topics:        s.tape.topics(s.t, sceneTopics[s.fate(len(sceneTopics))]...),
		Mode:          []Mode{ModeAll, ModeAll, ModeAll, ModeAll, ModeAll, ModeLatest}[s.fate(6)],
		MaxRead:       []int{0, 16 << 10, 700, 90}[s.fate(4)],
		Interval:      []time.Duration{0, 0, 20 * time.Millisecond}[s.fate(3)],
		Limit:         []uint64{0, 0, 0, 1 + uint64(s.fate(900))}[s.fate(4)],
		ForceCompress: s.fate(4) == 0,
	}
	head := s.log.Head().Seq
	switch s.fate(4) {
	case 0:
		opt.From = FromOldest
	case 1:
		opt.From, opt.Position = FromPosition, position(head-min(head, uint64(s.fate(1500))))
	}
	c := &client{Subscriber: s.log.Subscribe(opt), t: s.t, opt: opt, kind: format}
	a := &actor{client: c, witness: newWitness(s.t, s.tape, opt.Topics, opt.Mode)}
	first := true
	a.witness.onHello = func(m message) {
		if !first {
			return
		}
		first = false
		switch {
		case opt.From == FromOldest:
			a.start(m.Oldest - 1)
		case opt.From == FromPosition:
			a.start(opt.Position.Seq)
		default:
			a.start(m.Head)
		}
	}
	s.actors = append(s.actors, a)
	s.entered++
}

func (s *scene) leave(a *actor) {
	if a.synced {
		s.shared++
	}
	s.packed += a.Counters().CompressOut
	a.Close()
	s.actors = slices.DeleteFunc(s.actors, func(b *actor) bool { return a == b })
}

// read takes at most n writes.
func (s *scene) read(a *actor, now time.Time, n int) {
	for ; n > 0 && !a.done; n-- {
		b := a.Next(now)
		a.synced = a.synced || a.compressor != nil && a.compressor.inSync
		if len(b) > max(a.limits.maxRead, wire.MaxTick) {
			s.t.Fatalf("a write of %d bytes", len(b))
		}
		a.see(a.decode(b)...)
		if most := a.opt.Limit; most > 0 && (a.ticks > most || a.Ended() && a.Reason() == wire.ByeLimit && a.ticks != most) {
			s.t.Fatalf("%d ticks of at most %d", a.ticks, most)
		}
		if a.Ended() {
			a.done = true
			if len(a.in) > 0 || len(a.head) > 0 {
				s.t.Fatal("half a message at the end")
			}
		}
		if len(b) == 0 {
			if a.mode == ModeAll && a.Interval() == 0 && !a.change.waiting && a.Subscriber.pos < s.log.Head().Seq && !a.done {
				s.t.Fatalf("nothing is due at %d, the head is %d", a.Subscriber.pos, s.log.Head().Seq)
			}
			return
		}
	}
}

// Interval is the client's least time between writes.
func (s *Subscriber) Interval() time.Duration { return s.pacing.interval }

func (s *scene) ask(a *actor) {
	s.ids++
	cmd := wire.Command{Action: []string{wire.ActionSubscribe, wire.ActionUnsubscribe, wire.ActionTime}[s.fate(3)], ID: &s.ids}
	if cmd.Action != wire.ActionTime {
		cmd.Topics = sceneTopics[s.fate(len(sceneTopics))]
	}
	if err := a.EnqueueCommand(cmd, noon); err != nil && err != ErrBusy {
		s.t.Fatal(err)
	}
}

// play goes on for so many turns.
func (s *scene) play(turns int) {
	now := noon
	for range turns {
		now = now.Add(5 * time.Millisecond)
		if len(s.actors) < 3 || s.fate(12) == 0 && len(s.actors) < 30 {
			s.enter()
		}
		switch s.fate(20) {
		case 0: // burst
			s.more(uint64(s.fate(900)))
		case 1, 2, 3:
			s.more(uint64(s.fate(40)))
		case 4:
			work := &s.log.topicGroups.budget
			work.mu.Lock()
			if work.left = work.limit; s.fate(4) == 0 {
				work.left = -time.Hour
			}
			work.exhausted.Store(work.left < 0)
			work.mu.Unlock()
		case 5:
			now = now.Add(time.Minute) // heartbeats
		default:
			s.more(1)
		}
		for _, a := range slices.Clone(s.actors) {
			switch n := s.fate(80); {
			case n == 0:
				s.leave(a)
			case n == 1:
				s.ask(a)
			case n == 2:
				a.End(wire.ByeShutdown)
			case n < 10: // it doesn't read for now
			case n < 14:
				s.read(a, now, 1)
			default:
				s.read(a, now, 1<<20)
			}
			if a.done {
				s.leave(a)
			}
		}
	}
	for _, a := range slices.Clone(s.actors) {
		s.read(a, now.Add(time.Hour), 1<<20)
		s.leave(a)
	}
	if n := len(s.log.topicGroups.groups); n > 0 {
		s.t.Errorf("%d crowds of nobody", n)
	}
	if n := s.log.SharedEncoders(); n != 0 {
		s.t.Errorf("%d sets are left", n)
	}
}

func (s *scene) more(n uint64) {
	s.tape.play(s.log, min(s.log.Head().Seq+n, uint64(len(s.tape.ticks))))
}

// TestPackedBytes: joins, skips, private messages, resumes, changes, limits, losses and ends at random moments.
func TestPackedBytes(t *testing.T) {
	p := newTape(t, 20_000)
	var mu sync.Mutex
	var shared, entered int
	seeds := 12
	if raced {
		seeds = 6
	}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 7))
			s := newScene(t, p, r.IntN)
			s.play(300)
			mu.Lock()
			defer mu.Unlock()
			shared += s.shared
			entered += s.entered
		})
	}
	t.Cleanup(func() {
		if entered < 25*seeds || shared < entered/10 {
			t.Errorf("of %d clients %d were ever in step with a set", entered, shared)
		}
	})
}

// FuzzPackedBytes is the same, led by the input.
func FuzzPackedBytes(f *testing.F) {
	p := newTape(f, 20_000)
	seeds := uint64(4)
	if raced {
		seeds = 2
	}
	for seed := range seeds {
		b := make([]byte, 400)
		r := rand.New(rand.NewPCG(seed, 9))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		turns := min(len(b)/10, 40) // the fuzzer is slow at following an encoder
		s := newScene(t, p, func(n int) int {
			if len(b) < 2 {
				return n - 1
			}
			v := int(b[0])<<8 | int(b[1])
			b = b[min(len(b), 1+n/256):]
			return v % n
		})
		s.play(turns)
		s.log.Close()
	})
}

// TestPackedAtOnce: the same blocks are made and read by many goroutines, some of them so slow that the ring passes them.
func TestPackedAtOnce(t *testing.T) {
	t.Parallel()
	for format := range wire.Formats {
		for _, topics := range [][]string{{"*"}, {"sector:odd"}} {
			t.Run(fmt.Sprint(format, topics), func(t *testing.T) {
				const total = 12_000
				p := newTape(t, total)
				l := p.log(t, Config{Size: 4096, Compress: CompressOn, MaxSharedEncoders: 16})
				market := openExchange(p, l)
				defer market.stop()
				var all sync.WaitGroup
				for i := range 24 {
					all.Go(func() {
						r := rand.New(rand.NewPCG(uint64(i), 3))
						for upto := uint64(0); upto < total; {
							opt := offering(l, Options{Format: format, Topics: p.topics(t, topics...)})
							if opt.Compress == CompressDeflate && i%4 == 0 {
								opt.Compress = CompressPerMessage
							}
							c := &client{Subscriber: l.Subscribe(opt), t: t, opt: opt, kind: format}
							w := newWitness(t, p, opt.Topics, ModeAll)
							w.onHello = func(m message) { w.start(m.Head) }
							stay := upto + 200 + uint64(r.IntN(3000))
							for last := p.last(opt.Topics); w.place < min(last, stay); {
								market.allow(w.place + 100 + uint64(r.IntN(2000)))
								b := c.Next(time.Now())
								if len(b) == 0 {
									<-c.Notified()
								}
								w.see(c.decode(b)...)
								if r.IntN(100) == 0 && i%3 == 0 { // others go on meanwhile
									market.await(min(w.place+uint64(r.IntN(1500)), total))
								}
							}
							upto = max(w.place, stay)
							c.Close()
						}
					})
				}
				market.allow(total)
				all.Wait()
			})
		}
	}
}

// TestTopicsThatMeanTheSame: they are one set, and those who want nothing none of everybody's.
func TestTopicsThatMeanTheSame(t *testing.T) {
	p := newTape(t, 10)
	keys := map[string]bool{}
	for _, names := range [][]string{{"*"}, {"sector:odd", "sector:even"}, {"S1", "*"}} {
		keys[topicGroupKey(wire.WSJSON, p.topics(t, names...))] = true
	}
	if len(keys) != 1 {
		t.Errorf("%v", keys)
	}
	for _, other := range []quote.Topics{{}, p.topics(t, "S1"), p.topics(t, "S2"), p.topics(t, "S1", "S2"), p.topics(t, "sector:odd")} {
		if key := topicGroupKey(wire.WSJSON, other); keys[key] {
			t.Errorf("%v has another's key %q", other.Names(), key)
		} else {
			keys[key] = true
		}
	}
	if keys[topicGroupKey(wire.SSEJSON, p.topics(t, "*"))] {
		t.Error("two formats have one key")
	}
}

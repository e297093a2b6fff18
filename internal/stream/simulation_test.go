package stream

import (
	"slices"
	"testing"
	"time"

	"ticklane/internal/wire"
)

// A client whose window isn't what the encoder assumes decompresses a block to wrong text, without an error. So in a
// simulation, whatever its clients do, all text that they decompress is checked against the fixture.

// simulation is clients that subscribe, read, pause, send commands, fall behind and leave, at random moments.
type simulation struct {
	t       *testing.T
	fixture *fixture
	log     *Log
	intN    func(n int) int // a random number below n
	clients []*simClient
	lastID  int64

	opened int // clients
	inSync int // closed clients that were ever in sync with a shared encoder
}

type simClient struct {
	*client
	*checker
	done   bool
	inSync bool // was ever in sync with a shared encoder
}

func newSimulation(t *testing.T, p *fixture, intN func(n int) int) *simulation {
	cfg := Config{
		Size:              []int{8192, 300, 2000}[intN(3)],
		Compress:          []string{CompressOn, CompressOn, CompressAuto}[intN(3)],
		MaxSharedEncoders: []int{2, 16, 16, 16, 0}[intN(5)],
		OnLag:             []string{OnLagGap, OnLagLatest}[intN(2)],
		MaxLag:            []int{0, 0, 50}[intN(3)],
	}
	return &simulation{t: t, fixture: p, log: p.log(t, cfg), intN: intN}
}

var simulationTopics = [][]string{
	{"*"}, {"sector:odd"}, {"S1"}, {"sector:odd", "sector:even"}, {"S1", "S2", "S9"}, {"*"}, {"*"}, {"*"}, {"sector:odd"},
}

func (s *simulation) open() {
	offers := [][]Compression{wire.SSE: {CompressGzip, CompressGzip, CompressNone}, wire.WS: {CompressDeflate, CompressPerMessage, CompressNone}}
	format := wire.Format(s.intN(int(wire.Formats)))
	opt := Options{
		Format:        format,
		Compress:      offers[format.Lane()][s.intN(3)],
		Topics:        s.fixture.topics(s.t, simulationTopics[s.intN(len(simulationTopics))]...),
		Mode:          []Mode{ModeAll, ModeAll, ModeAll, ModeAll, ModeAll, ModeLatest}[s.intN(6)],
		MaxRead:       []int{0, 16 << 10, 700, 90}[s.intN(4)],
		Interval:      []time.Duration{0, 0, 20 * time.Millisecond}[s.intN(3)],
		Limit:         []uint64{0, 0, 0, 1 + uint64(s.intN(900))}[s.intN(4)],
		ForceCompress: s.intN(4) == 0,
	}
	head := s.log.Head().Seq
	switch s.intN(4) {
	case 0:
		opt.From = FromOldest
	case 1:
		opt.From, opt.Position = FromPosition, position(head-min(head, uint64(s.intN(1500))))
	}
	c := &client{Subscriber: s.log.Subscribe(opt), t: s.t, opt: opt, format: format}
	a := &simClient{client: c, checker: newChecker(s.t, s.fixture, opt.Topics, opt.Mode)}
	a.onHello = func(m message) {
		switch opt.From {
		case FromOldest:
			a.start(m.Oldest - 1)
		case FromPosition:
			a.start(opt.Position.Seq)
		default:
			a.start(m.Head)
		}
	}
	s.clients = append(s.clients, a)
	s.opened++
}

func (s *simulation) close(a *simClient) {
	if a.inSync {
		s.inSync++
	}
	a.Close()
	s.clients = slices.DeleteFunc(s.clients, func(b *simClient) bool { return a == b })
}

// read takes at most n writes.
func (s *simulation) read(a *simClient, now time.Time, n int) {
	for ; n > 0 && !a.done; n-- {
		b := a.Next(now)
		a.inSync = a.inSync || a.compressor != nil && a.compressor.inSync
		if len(b) > max(a.limits.maxRead, wire.MaxTick) {
			s.t.Fatalf("a write of %d bytes", len(b))
		}
		a.check(a.decode(b)...)
		if most := a.opt.Limit; most > 0 && (a.ticks > most || a.Ended() && a.Reason() == wire.ByeLimit && a.ticks != most) {
			s.t.Fatalf("%d ticks, the limit is %d", a.ticks, most)
		}
		if a.Ended() {
			a.done = true
			if len(a.in) > 0 || len(a.partial) > 0 {
				s.t.Fatal("half a message at the end")
			}
		}
		if len(b) == 0 {
			if head := s.log.Head().Seq; a.mode == ModeAll && a.pacing.interval == 0 && !a.change.waiting && a.pos < head && !a.done {
				s.t.Fatalf("Next returned nothing at %d, the head is %d", a.pos, head)
			}
			return
		}
	}
}

func (s *simulation) sendCommand(a *simClient) {
	s.lastID++
	cmd := wire.Command{Action: []string{wire.ActionSubscribe, wire.ActionUnsubscribe, wire.ActionTime}[s.intN(3)], ID: &s.lastID}
	if cmd.Action != wire.ActionTime {
		cmd.Topics = simulationTopics[s.intN(len(simulationTopics))]
	}
	if err := a.EnqueueCommand(cmd, noon); err != nil && err != ErrBusy {
		s.t.Fatal(err)
	}
}

// exhaustBudget makes compression run out of time, in one of four calls.
func (s *simulation) exhaustBudget() {
	b := &s.log.topicGroups.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left = b.limit; s.intN(4) == 0 {
		b.left = -time.Hour
	}
	b.exhausted.Store(b.left < 0)
}

func (s *simulation) append(n int) {
	s.fixture.play(s.log, min(s.log.Head().Seq+uint64(n), uint64(len(s.fixture.ticks))))
}

// run simulates this many steps, then closes all clients.
func (s *simulation) run(steps int) {
	now := noon
	for range steps {
		now = now.Add(5 * time.Millisecond)
		if len(s.clients) < 3 || s.intN(12) == 0 && len(s.clients) < 30 {
			s.open()
		}
		switch s.intN(20) {
		case 0:
			s.append(s.intN(900))
		case 1, 2, 3:
			s.append(s.intN(40))
		case 4:
			s.exhaustBudget()
		case 5:
			now = now.Add(time.Minute) // heartbeats
		default:
			s.append(1)
		}
		for _, a := range slices.Clone(s.clients) {
			switch n := s.intN(80); {
			case n == 0:
				s.close(a)
			case n == 1:
				s.sendCommand(a)
			case n == 2:
				a.End(wire.ByeShutdown)
			case n < 10: // it doesn't read
			case n < 14:
				s.read(a, now, 1)
			default:
				s.read(a, now, 1<<20)
			}
			if a.done {
				s.close(a)
			}
		}
	}
	for _, a := range slices.Clone(s.clients) {
		s.read(a, now.Add(time.Hour), 1<<20)
		s.close(a)
	}
	if n := len(s.log.topicGroups.groups); n > 0 {
		s.t.Errorf("%d topic groups left", n)
	}
	if n := s.log.SharedEncoders(); n != 0 {
		s.t.Errorf("%d shared encoders left", n)
	}
}

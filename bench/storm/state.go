package storm

import (
	"strconv"

	"ticklane/internal/wire"
)

// Market is what whole state is: every symbol exactly once.
type Market struct {
	Symbols int
	sum     uint64         // of the hashes of the symbols
	index   map[uint64]int // of each symbol, by the hash
}

// NewMarket returns the market with these symbols.
func NewMarket(symbols []string) Market {
	m := Market{Symbols: len(symbols), index: map[uint64]int{}}
	for i, s := range symbols {
		hash := hashSymbol([]byte(s))
		m.sum += hash
		m.index[hash] = i
	}
	return m
}

// Losses are violations of what clients are promised. All are 0 with a correct server.
type Losses struct {
	Lost       int64 `json:"lost"`        // ticks that never arrived, without a gap message
	Repeated   int64 `json:"repeated"`    // ticks that arrived again
	Unreported int64 `json:"unreported"`  // complete resumes of clients without whole state, which get no snapshot any more
	Incomplete int64 `json:"incomplete"`  // snapshots with parts out of order
	Wrong      int64 `json:"wrong"`       // quotes of snapshots that differ from the ticks
	Malformed  int64 `json:"malformed"`   // messages and streams that can't be parsed
	LongestMsg int   `json:"longest_msg"` // bytes of the longest message: no violation
}

// Add adds the losses of another fleet.
func (l *Losses) Add(o Losses) {
	l.Lost += o.Lost
	l.Repeated += o.Repeated
	l.Unreported += o.Unreported
	l.Incomplete += o.Incomplete
	l.Wrong += o.Wrong
	l.Malformed += o.Malformed
	l.LongestMsg = max(l.LongestMsg, o.LongestMsg)
}

// Total returns the number of violations.
func (l *Losses) Total() int64 {
	return l.Lost + l.Repeated + l.Unreported + l.Incomplete + l.Wrong + l.Malformed
}

// state is what one client knows of the market. It outlives connections.
type state struct {
	position []byte // of a resume: SSE, the last event id; WebSocket, what the client computed
	epoch    string
	last     uint64 // the newest seq that is part of the state
	holds    bool   // a whole snapshot, and every tick since up to last
	target   uint64 // the state is whole at this seq: what the client missed has arrived
	greeted  bool   // this connection's hello has arrived

	// The snapshot that is arriving.
	parts []*part
	at    uint64

	// The symbols so far, while only some are known: from a snapshot of a server that has just started, or of one that
	// sends ticks alone.
	known []bool
	count int
}

// whole reports whether the client has whole state.
func (s *state) whole() bool { return s.holds && s.last >= s.target }

// connected prepares for a new connection.
func (s *state) connected() { s.greeted, s.parts, s.target = false, nil, 0 }

// take accounts for one message.
func (s *state) take(m *message, lane wire.Lane, market *Market, l *Losses) {
	switch m.kind {
	case hello:
		s.hello(m, market, l)
	case gap:
		s.holds, s.last = false, m.seq
	case snapshot:
		s.snapshot(m, market, l)
	case tick:
		s.tick(m, market, l)
	case heartbeat:
		if s.holds && s.greeted && m.seq > s.last {
			l.Lost += int64(m.seq - s.last)
			s.last = m.seq
		}
	}
	s.advance(m, lane)
}

func (s *state) hello(m *message, market *Market, l *Losses) {
	s.greeted = true
	if m.opened.resume == "complete" && m.opened.epoch == s.epoch {
		s.target = m.seq
		if !s.holds && !m.follows {
			l.Unreported++
		}
		return
	}
	s.epoch, s.holds, s.last, s.known, s.count = m.opened.epoch, false, m.seq, nil, 0
	if m.seq == 0 { // the log of a server that has just started
		s.known = make([]bool, market.Symbols)
	}
}

func (s *state) snapshot(m *message, market *Market, l *Losses) {
	p := m.part
	if p.part == 1 {
		s.parts, s.at = nil, m.seq
	}
	if p.part != len(s.parts)+1 || m.seq != s.at {
		l.Incomplete++
		s.parts = nil
		return
	}
	s.parts = append(s.parts, p)
	if p.part < p.parts {
		return
	}
	quotes, sum := 0, uint64(0)
	for _, p := range s.parts {
		quotes += p.quotes
		sum += p.sum
	}
	s.last, s.known, s.count = m.seq, nil, 0
	if quotes == 0 {
		s.known = make([]bool, market.Symbols)
	}
	if s.holds = quotes == market.Symbols && sum == market.sum; !s.holds {
		for _, p := range s.parts {
			for _, q := range p.each {
				s.learn(q.symbol, market)
			}
		}
	}
	s.parts = nil
}

// learn accounts for a symbol of a client that doesn't know all yet.
func (s *state) learn(symbol uint64, market *Market) {
	if s.known == nil {
		s.known = make([]bool, market.Symbols)
	}
	if i, ok := market.index[symbol]; ok && !s.known[i] {
		s.known[i] = true
		s.count++
	}
	if s.holds = s.count == market.Symbols; s.holds {
		s.known, s.count = nil, 0
	}
}

func (s *state) tick(m *message, market *Market, l *Losses) {
	switch {
	case s.last == 0 || m.seq == s.last+1 || !s.holds && m.seq > s.last:
	case m.seq > s.last:
		l.Lost += int64(m.seq - s.last - 1)
	default:
		l.Repeated++
		return
	}
	s.last = m.seq
	// After a hello the first snapshot says which symbols there are.
	if !s.holds && (s.known != nil || !s.greeted) {
		s.learn(m.symbol, market)
	}
}

// advance keeps the position that the message carries: on SSE the id of its event, on WebSocket what the protocol says.
func (s *state) advance(m *message, lane wire.Lane) {
	if lane == wire.SSE {
		if m.id != nil {
			s.position = append(s.position[:0], m.id...)
		}
		return
	}
	switch {
	case !s.greeted, m.follows:
		return
	case m.kind == tick:
	case m.kind == snapshot && m.part.part == m.part.parts:
	case m.kind == heartbeat && m.seq > 0:
	case m.kind == gap:
	case m.kind == hello && (m.opened.resume == "none" || m.opened.resume == "reset"):
	default:
		return
	}
	s.position = strconv.AppendUint(append(append(s.position[:0], s.epoch...), '-'), m.seq, 10)
}

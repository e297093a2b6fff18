package natsbus

import (
	"errors"

	"ticklane/internal/bus"
	"ticklane/internal/quote"
)

// view is what a node knows of the log: the sum of all messages up to one of the stream.
type view struct {
	epoch    uint64
	term     uint64 // of the newest batch; 0 if unknown
	writer   string // of the term, if the message that began it was read
	sequence uint64 // of the newest message, in the stream
	batch    uint64 // number of the newest batch that is stored
	head     uint64 // number of the newest tick
	complete bool   // newest has the newest tick of every symbol that has had one
	own      uint64 // newest term in which this node has passed ticks before they were stored: AckBefore

	newest []quote.Tick // of each symbol by ID; N is 0 for a symbol without ticks
}

// What to do with a message.
type action int

const (
	accept   action = iota // its batch follows the newest one
	skip                   // its batch is known, or of a writer whose term has ended
	gap                    // batches before it weren't read
	conflict               // it numbers batches or ticks anew that were read before
	foreign                // it has another epoch, which may be new
)

// Errors of a reader.
var (
	errGap      = errors.New("messages are missing")
	errEnd      = errors.New("the stream has lost its newest messages")
	errConflict = errors.New("the stream has lost ticks that were read")
	errForeign  = errors.New("message of another epoch")
	errRead     = errors.New("unreadable batch")
)

// classify returns what to do with the message. It depends only on what is stored before it in the stream, so all nodes agree.
func (v *view) classify(m *message) action {
	switch {
	case m.epoch != v.epoch:
		if m.term > v.term {
			return foreign
		}
		return skip
	case m.term < v.term:
		return skip // the stream lost messages, and a former writer's expected sequence matched by chance
	case m.term > v.term && v.term != 0 && (m.begins <= v.head || m.opens <= v.batch):
		return conflict
	case m.first > v.head+1 || m.batch > v.batch+1:
		return gap
	case m.writer != "":
		return accept
	case m.batch <= v.batch:
		return skip
	case m.count > 0 && m.first <= v.head && m.term != v.own:
		return conflict
	}
	return accept
}

// apply adds a message that is accepted, with its ticks.
func (v *view) apply(m *message, ticks []quote.Tick) {
	if m.term != v.term {
		v.term, v.writer = m.term, ""
	}
	if m.writer != "" {
		v.writer = m.writer
	}
	v.batch = max(v.batch, m.lastBatch())
	v.add(ticks)
}

// add adds ticks.
func (v *view) add(ticks []quote.Tick) {
	for i := range ticks {
		t := &ticks[i]
		v.grow(int(t.Symbol) + 1)
		v.newest[t.Symbol] = *t
		v.head = t.Seq
	}
}

// state returns a copy of the state.
func (v *view) state() bus.State {
	s := bus.State{Position: quote.Position{Epoch: v.epoch, Seq: v.head}, N: make([]uint64, len(v.newest))}
	for id := range v.newest {
		if t := &v.newest[id]; t.N > 0 {
			s.N[id] = t.N
			s.Newest = append(s.Newest, *t)
		}
	}
	return s
}

// grow makes room for a number of symbols.
func (v *view) grow(symbols int) {
	for len(v.newest) < symbols {
		v.newest = append(v.newest, quote.Tick{Symbol: quote.ID(len(v.newest))})
	}
}

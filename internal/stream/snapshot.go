package stream

import (
	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// Snapshot returns the newest quote of each of the topics' symbols, all as of the head.
func (l *Log) Snapshot(topics quote.Topics) wire.Snapshot {
	s, _ := l.headSnapshot(topics)
	return s
}

// headSnapshot returns the snapshot as of the head, and the head.
func (l *Log) headSnapshot(topics quote.Topics) (s wire.Snapshot, head uint64) {
	for {
		head = l.head.Load()
		topics = l.cfg.Universe.Current(topics) // after the head: it has all symbols that have a tick by then
		// It fails only when a whole log's length of ticks was appended meanwhile.
		if s, ok := l.snapshotAt(head, topics); ok {
			return s, head
		}
	}
}

// snapshotAt returns the snapshot as of seq at. ok is false when the state of a symbol at that seq is no longer known.
func (l *Log) snapshotAt(at uint64, topics quote.Topics) (s wire.Snapshot, ok bool) {
	s.At = l.position(at)
	s.Quotes = make([]wire.DayQuote, 0, len(topics.IDs()))
	for _, id := range topics.IDs() {
		e, known := l.newestAt(id, at)
		if !known {
			return s, false
		}
		if e == nil {
			continue
		}
		s.Quotes = append(s.Quotes, wire.DayQuote{Instrument: l.cfg.Universe.Instrument(id), Tick: &e.tick})
	}
	return s, true
}

// position returns the log's position of a seq.
func (l *Log) position(seq uint64) quote.Position {
	return quote.Position{Epoch: l.cfg.Epoch, Seq: seq}
}

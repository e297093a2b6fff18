package stream

import (
	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// Snapshot returns the newest quote of each of the topics' symbols, all as of the head.
func (l *Log) Snapshot(topics quote.Topics) wire.Snapshot {
	for {
		head := l.head.Load()
		// It fails only when a whole log went by while it looked.
		if s, ok := l.snapshotAt(head, topics); ok {
			return s
		}
	}
}

// snapshotAt returns the snapshot as of seq i. ok is false when a symbol's state at i is no longer known.
func (l *Log) snapshotAt(i uint64, topics quote.Topics) (s wire.Snapshot, ok bool) {
	s = wire.Snapshot{At: quote.Position{Epoch: l.cfg.Epoch, Seq: i}}
	s.Quotes = make([]wire.DayQuote, 0, len(topics.IDs()))
	for _, id := range topics.IDs() {
		e, ok := l.at(id, i)
		if !ok {
			return s, false
		}
		if e == nil {
			continue
		}
		s.Quotes = append(s.Quotes, wire.DayQuote{Ticker: l.cfg.Universe.Symbol(id).Ticker, Tick: &e.tick})
	}
	return s, true
}

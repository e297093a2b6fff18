package ingest

import (
	"ticklane/internal/market"
	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
)

// instrumentState is the newest quote of an instrument and what it was made of.
type instrumentState struct {
	tick    quote.Tick
	day     market.Day
	newest  int64 // the newest time of its lines, µs since 1970
	started bool
	quoted  bool // bid and ask are of quotes; otherwise they are the last price
	traded  bool // the last price is of p; otherwise it is the middle of bid and ask
	sent    batch.Detail
}

// setStatus applies a status. One that isn't known changes nothing but what is reported.
func (s *instrumentState) setStatus(l *line, received int64) {
	switch l.event.Status.State {
	case quote.StateHalted:
		s.tick.Halted = true
	case quote.StateTrading:
		s.tick.Halted = false
	}
	s.tick.Due, s.tick.Received, s.tick.CountStarts = l.due, received, false
}

// update applies a quote or a trade. What a quote leaves out keeps its value. A line that is older than an earlier one of its
// instrument is applied like any other; the day's figures stay those of the newer day. A trade that corrects or cancels an earlier one
// is reported only: the feed sends the figures that it changes.
func (s *instrumentState) update(in *quote.Instrument, l *line, received int64) *fault {
	bid, ask, last := s.tick.Bid, s.tick.Ask, s.tick.Last
	if t := l.event.Trade; t != nil && t.Corrects+t.Cancels != "" {
		l.has, l.size = 0, 0
	}
	hasBid, hasAsk := l.has.has(memberBid), l.has.has(memberAsk)
	quoted, traded := s.quoted || hasBid || hasAsk, s.traded || l.has.has(memberPrice)
	switch {
	case quoted && !s.quoted && !hasBid:
		return &fault{"bp", "missing; the first quote of " + in.Symbol + " needs bp and ap"}
	case quoted && !s.quoted && !hasAsk:
		return &fault{"ap", "missing; the first quote of " + in.Symbol + " needs bp and ap"}
	case !quoted && !traded:
		return &fault{"bp", "missing; the first line of " + in.Symbol + " needs bp and ap, or p"}
	}
	if hasBid {
		bid = l.bid
	}
	if hasAsk {
		ask = l.ask
	}
	switch {
	case l.has.has(memberPrice):
		last = l.last
	case !traded:
		last = (bid + ask) >> 1
	}
	if !quoted {
		bid, ask = last, last
	}
	s.quoted, s.traded = quoted, traded
	s.addPrice(in, l, last)
	t := &s.tick
	t.Symbol, t.Bid, t.Ask = l.symbol, bid, ask
	if l.has.has(memberBidSize) {
		t.BidSize = l.bidSize
	}
	if l.has.has(memberAskSize) {
		t.AskSize = l.askSize
	}
	s.day.Fill(t)
	t.Due, t.Received = l.due, received
	return nil
}

// addPrice adds a last price to the figures of the day.
func (s *instrumentState) addPrice(in *quote.Instrument, l *line, last quote.Price) {
	if !s.started {
		s.started = true
		s.day.Start(in.Session, last, l.due)
	}
	s.newest = max(s.newest, l.due)
	s.day.Roll(s.newest)
	s.day.Trade(last, l.size)
	if l.has.has(memberVolume) {
		s.day.SetVolume(l.volume)
	}
}

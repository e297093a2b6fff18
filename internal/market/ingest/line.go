package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"ticklane/internal/excerpt"
	"ticklane/internal/quote"
)

// fault is what is wrong with a line.
type fault struct {
	field  string // the member, empty for the whole line
	reason string
}

var notJSON = &fault{"", "not a JSON object (RFC 8259)"}

func unknownMember(name []byte) *fault {
	return &fault{excerpt.Of(name), "unknown member; docs/ingest.md has those of each T, and names that begin with _ are ignored"}
}

// lineType is the value of T.
type lineType uint8

const (
	noType lineType = iota
	quoteLine
	tradeLine
	statusLine
	instrumentLine
	lineTypes
)

// allowed are the members of each type of line.
var allowed = [lineTypes]memberSet{
	quoteLine: setOf(memberT, memberS, memberN, memberTime, memberBid, memberBidSize, memberAsk, memberAskSize, memberPrice, memberVolume),
	tradeLine: setOf(memberT, memberS, memberN, memberTime, memberPrice, memberSize, memberID, memberConditions, memberVenueCode,
		memberCorrects, memberCancels),
	statusLine: setOf(memberT, memberS, memberN, memberTime, memberStatus, memberReason),
	instrumentLine: setOf(memberT, memberS, memberN, memberName, memberSector, memberDecimals, memberSizeDecimals, memberCurrency, memberVenue,
		memberTickSize, memberNegative, memberSession),
}

// line is a parsed line. Of a member that it doesn't have, the value is 0.
type line struct {
	number uint64 // in the input, from 1
	n      uint64 // the client's sequence; 0 for none
	fault  *fault // nil for a valid line

	kind             lineType
	symbol           quote.ID
	has              memberSet
	bid, ask, last   quote.Price
	bidSize, askSize quote.Size
	size, volume     quote.Size // of a trade, and of its day
	due              int64      // µs since 1970
	event            quote.Event
}

// parser parses lines. It is used by one goroutine.
type parser struct {
	universe *quote.Universe
	mayWrite func(symbol, sector string) bool // see Client
	object   object
}

// parse parses a line into l, whose number is set. Errors are those of the first member in the order of the constants above. A line
// of an instrument is not parsed further than its type and n: see parser.instrument. received is in µs since 1970.
func (p *parser) parse(text []byte, received int64, l *line) {
	*l = line{number: l.number}
	l.fault = p.parseInto(text, received, l)
}

func (p *parser) parseInto(text []byte, received int64, l *line) *fault {
	o := &p.object
	wrong := o.scan(text)
	if wrong == notJSON {
		return wrong
	}
	if o.set.has(memberN) { // a rejected line counts as having come
		n, err := p.integer(memberN)
		if err == nil && n == 0 {
			err = &fault{"n", "want a whole number from 1"}
		}
		if err != nil {
			return first(wrong, err)
		}
		l.n = uint64(n)
	}
	f := first(wrong, p.lineType(l))
	if f == nil && l.kind != instrumentLine {
		f = p.tick(received, l)
	}
	return f
}

func (p *parser) lineType(l *line) *fault {
	o := &p.object
	t, ok := o.text(memberT)
	if !o.set.has(memberT) || !ok {
		return &fault{"T", `missing; want "q", "trade", "status" or "instrument"`}
	}
	switch string(t) {
	case "q":
		l.kind = quoteLine
	case "trade":
		l.kind = tradeLine
	case "status":
		l.kind = statusLine
	case "instrument":
		l.kind = instrumentLine
	default:
		return &fault{"T", quoted(t) + `: want "q", "trade", "status" or "instrument"`}
	}
	if wrong := o.seen &^ allowed[l.kind]; wrong != 0 {
		return &fault{wrong.first().String(), "not a member of T " + quoted(t)}
	}
	if l.kind != instrumentLine && !o.set.has(memberS) {
		return &fault{"S", "missing; want the symbol of an instrument"}
	}
	return nil
}

// tick parses what a quote, a trade and a status have.
func (p *parser) tick(received int64, l *line) *fault {
	o := &p.object
	symbol, ok := o.text(memberS)
	if !ok {
		return &fault{"S", "want a text"}
	}
	l.symbol, ok = p.universe.Lookup(string(symbol)) // without a copy
	if f := p.forbidden(symbol, l.symbol, ok); f != nil {
		return f
	}
	if !ok {
		return &fault{"S", quoted(symbol) + `: unknown; its line of T "instrument" must come first`}
	}
	l.has = o.set
	if f := p.due(received, l); f != nil {
		return f
	}
	in := p.universe.Instrument(l.symbol)
	switch l.kind {
	case quoteLine:
		return p.quote(in, l)
	case tradeLine:
		return p.trade(in, l)
	}
	return p.status(l)
}

// firstTime is the earliest time of a line: an earlier one is of another unit.
var firstTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

// future is how far the clock of a feed may be ahead, in µs.
const future = 10 * 60 * 1_000_000

func (p *parser) due(received int64, l *line) *fault {
	if l.due = received; !l.has.has(memberTime) {
		return nil
	}
	t, f := p.integer(memberTime)
	if f != nil {
		return f
	}
	if t < firstTime || t > received+future {
		return &fault{"t", fmt.Sprintf("%d: want µs since 1970, from 1980 to 10 minutes ahead of this server's clock", t)}
	}
	l.due = t
	return nil
}

const quoteValues = 1<<memberBid | 1<<memberBidSize | 1<<memberAsk | 1<<memberAskSize | 1<<memberPrice | 1<<memberVolume

func (p *parser) quote(in *quote.Instrument, l *line) *fault {
	if l.has&quoteValues == 0 {
		return &fault{"bp", "missing; want at least one of bp, bs, ap, as, p and v"}
	}
	f := first(
		p.price(memberBid, in, &l.bid), p.size(memberBidSize, in, &l.bidSize), p.price(memberAsk, in, &l.ask),
		p.size(memberAskSize, in, &l.askSize), p.price(memberPrice, in, &l.last), p.size(memberVolume, in, &l.volume),
	)
	if f == nil && l.has.has(memberBid) && l.has.has(memberAsk) && l.bid > l.ask {
		f = &fault{"bp", l.bid.Format(in.Decimals) + " is above the ask of " + l.ask.Format(in.Decimals)}
	}
	return f
}

func (p *parser) trade(in *quote.Instrument, l *line) *fault {
	if !l.has.has(memberPrice) {
		return &fault{"p", "missing; want the price of the trade"}
	}
	if f := first(p.price(memberPrice, in, &l.last), p.size(memberSize, in, &l.size)); f != nil {
		return f
	}
	trade := &quote.Trade{Price: l.last, Size: l.size}
	f := first(p.copyText(memberID, &trade.ID), p.conditions(&trade.Conditions), p.copyText(memberVenueCode, &trade.Venue),
		p.copyText(memberCorrects, &trade.Corrects), p.copyText(memberCancels, &trade.Cancels))
	if f != nil {
		return f
	}
	if trade.Corrects != "" && trade.Cancels != "" {
		return &fault{"cancels", "not together with corrects"}
	}
	l.event.Trade = trade
	return faultOf(trade.Check())
}

// conditions copies the conditions of a trade.
func (p *parser) conditions(into *[]string) *fault {
	if !p.object.set.has(memberConditions) {
		return nil
	}
	v := &p.object.values[memberConditions]
	var texts []*string // nil for null
	if v.kind != kindComposite || v.raw[0] != '[' || !utf8.Valid(v.raw) || json.Unmarshal(v.raw, &texts) != nil || slices.Contains(texts, nil) {
		return &fault{"c", "want a list of texts"}
	}
	for _, text := range texts {
		*into = append(*into, *text)
	}
	return nil
}

// faultOf returns the fault of an error of an instrument, trade or status.
func faultOf(err error) *fault {
	var invalid *quote.FieldError
	if !errors.As(err, &invalid) {
		return nil
	}
	if invalid.Field == "symbol" {
		return &fault{"S", invalid.Reason}
	}
	return &fault{invalid.Field, invalid.Reason}
}

func (p *parser) status(l *line) *fault {
	if !l.has.has(memberStatus) {
		return &fault{"status", "missing; want a text such as halted"}
	}
	status := &quote.Status{}
	if f := first(p.copyText(memberStatus, &status.State), p.copyText(memberReason, &status.Reason)); f != nil {
		return f
	}
	if status.State == "resumed" {
		status.State = quote.StateTrading
	}
	l.event.Status = status
	return faultOf(status.Check())
}

// first returns the first fault.
func first(all ...*fault) *fault {
	for _, f := range all {
		if f != nil {
			return f
		}
	}
	return nil
}

func (p *parser) integer(m member) (int64, *fault) {
	v := &p.object.values[m]
	if v.kind != kindNumber {
		return 0, &fault{m.String(), errInteger.Error()}
	}
	n, err := integer(v.raw)
	if err != nil {
		return 0, &fault{m.String(), quoted(v.raw) + ": " + err.Error()}
	}
	return n, nil
}

func (p *parser) price(m member, in *quote.Instrument, into *quote.Price) *fault {
	return number(p, m, in, price, into)
}

func (p *parser) size(m member, in *quote.Instrument, into *quote.Size) *fault {
	return number(p, m, in, size, into)
}

// number parses a number that the line may have, in units of the instrument.
func number[T quote.Price | quote.Size](p *parser, m member, in *quote.Instrument, parse func(*quote.Instrument, []byte) (T, error), into *T) *fault {
	if !p.object.set.has(m) {
		return nil
	}
	v := &p.object.values[m]
	if v.kind != kindNumber {
		return &fault{m.String(), "want a number"}
	}
	var err error
	if *into, err = parse(in, v.raw); err != nil {
		return &fault{m.String(), string(v.raw) + ": " + err.Error()}
	}
	return nil
}

// copyText copies a text that the line may have.
func (p *parser) copyText(m member, into *string) *fault {
	if !p.object.set.has(m) {
		return nil
	}
	text, ok := p.object.text(m)
	if !ok {
		return &fault{m.String(), "want a text"}
	}
	*into = string(text)
	return nil
}

package quote

import (
	"fmt"
	"sync/atomic"

	"ticklane/internal/excerpt"
)

// Limits of the texts of a Trade and a Status, in bytes. They limit the size of a rendered tick.
const (
	maxTradeID     = 64
	maxCondition   = 16
	maxConditions  = 8
	maxStatusState = 32
	maxReason      = 128
)

// Event is what a tick reports besides its quote.
type Event struct {
	Bar    *Bar
	Trade  *Trade
	Status *Status
}

// Events holds the newest events of a source. Ticks refer to them by number, since a log of ticks with pointers would cost each
// garbage collection time. All methods may be called from any goroutine.
type Events struct {
	ring   []atomic.Pointer[numberedEvent]
	newest atomic.Uint64
}

type numberedEvent struct {
	number uint64
	Event
}

// NewEvents returns a store for the events of the newest ticks of a log with this many.
func NewEvents(ticks int) *Events {
	const readers = 1024 // the ticks that are being appended or just left the log
	return &Events{ring: make([]atomic.Pointer[numberedEvent], ticks+readers)}
}

// Put stores an event and returns its number, for Tick.Event.
func (e *Events) Put(event Event) uint64 {
	n := e.newest.Add(1)
	e.ring[n%uint64(len(e.ring))].Store(&numberedEvent{n, event})
	return n
}

// Get returns the event with a number, none for 0 or after as many others as there is room for. A nil *Events has none.
func (e *Events) Get(number uint64) (event Event) {
	if e == nil || number == 0 {
		return event
	}
	if stored := e.ring[number%uint64(len(e.ring))].Load(); stored != nil && stored.number == number {
		return stored.Event
	}
	return event
}

// AddBar adds a bar to the event with a number, or puts one with only the bar if the number is 0, and returns the event's number.
// The tick must not be published yet.
func (e *Events) AddBar(number uint64, bar *Bar) uint64 {
	slot := &e.ring[number%uint64(len(e.ring))]
	if stored := slot.Load(); number != 0 && stored != nil && stored.number == number {
		event := stored.Event
		event.Bar = bar
		slot.Store(&numberedEvent{number, event})
		return number
	}
	return e.Put(Event{Bar: bar})
}

// Bar summarizes the last price of an instrument in one minute. A tick of a later minute reports it. It is immutable.
type Bar struct {
	Start                  int64 // µs since 1970
	Open, High, Low, Close Price
	Volume                 Size
	Complete               bool // the server had ticks of the instrument before this minute, so it had all of the minute's
}

// Trade is a trade that a tick reports besides its quote. It is immutable. All its texts may be empty.
type Trade struct {
	Price      Price
	Size       Size
	ID         string   // the feed's
	Conditions []string // as the feed gives them
	Venue      string
	Corrects   string // ID of an earlier trade that this one replaces
	Cancels    string // ID of an earlier trade that is void
}

// Check checks the trade's texts. The error is a *FieldError of the first invalid field.
func (t *Trade) Check() error {
	for _, f := range [...]struct{ name, text string }{{"id", t.ID}, {"corrects", t.Corrects}, {"cancels", t.Cancels}} {
		if !validText(f.text, maxTradeID) {
			return textError(f.name, f.text, maxTradeID)
		}
	}
	if !validText(t.Venue, maxLabel) {
		return textError("x", t.Venue, maxLabel)
	}
	if len(t.Conditions) > maxConditions {
		return &FieldError{"c", fmt.Sprintf("%d conditions: want at most %d", len(t.Conditions), maxConditions)}
	}
	for _, c := range t.Conditions {
		if !validText(c, maxCondition) {
			return textError("c", c, maxCondition)
		}
	}
	return nil
}

// States of a Status that every feed means alike. Others are the feed's own.
const (
	StateTrading = "trading" // also after a halt
	StateHalted  = "halted"
)

// Status is the trading status of an instrument. It is immutable.
type Status struct {
	State  string // StateTrading, StateHalted or another word of a–z and '-'
	Reason string // may be empty
}

// Check checks the status. The error is a *FieldError of the first invalid field.
func (s *Status) Check() error {
	if len(s.State) == 0 || len(s.State) > maxStatusState || !all(s.State, isSector) {
		return &FieldError{"status", fmt.Sprintf("%q: want a word such as halted or trading, 1 to %d of a-z, 0-9 and '-'", excerpt.Of(s.State), maxStatusState)}
	}
	if !validText(s.Reason, maxReason) {
		return textError("reason", s.Reason, maxReason)
	}
	return nil
}

func textError(field, text string, limit int) error {
	return &FieldError{field, fmt.Sprintf("%q: want at most %d bytes of printable text", excerpt.Of(text), limit)}
}

package quote

import (
	"errors"
	"strings"
	"testing"
)

// TestEvents: an event is found by its number until as many others as there is room for have followed.
func TestEvents(t *testing.T) {
	var none *Events
	if none.Get(1) != (Event{}) {
		t.Error("a nil store has an event")
	}
	e := NewEvents(1)
	first := e.Put(Event{Trade: &Trade{ID: "first"}})
	if e.Get(0) != (Event{}) || e.Get(first+1) != (Event{}) || e.Get(first).Trade.ID != "first" {
		t.Errorf("%+v", e.Get(first))
	}
	for range len(e.ring) - 1 {
		e.Put(Event{Status: &Status{State: StateHalted}})
	}
	if e.Get(first).Trade == nil {
		t.Error("the first is gone too early")
	}
	if last := e.Put(Event{}); e.Get(first) != (Event{}) || e.Get(last-1).Status == nil {
		t.Error("the first is still there, or the newest isn't")
	}
}

// TestAddBar: the bar joins what the tick reports already, under the same number, and is an event alone otherwise.
func TestAddBar(t *testing.T) {
	e, bar := NewEvents(1), &Bar{Start: 7}
	trade := e.Put(Event{Trade: &Trade{ID: "x"}})
	if n := e.AddBar(trade, bar); n != trade || e.Get(n) != (Event{Bar: bar, Trade: e.Get(n).Trade}) || e.Get(n).Trade == nil {
		t.Errorf("%d: %+v", n, e.Get(n))
	}
	if n := e.AddBar(0, bar); n != trade+1 || e.Get(n) != (Event{Bar: bar}) {
		t.Errorf("%d: %+v", n, e.Get(n))
	}
	for range e.ring {
		e.Put(Event{})
	}
	if n := e.AddBar(trade, bar); n == trade || e.Get(n) != (Event{Bar: bar}) || e.Get(trade) != (Event{}) {
		t.Errorf("an event that is gone was changed: %d", n)
	}
}

func TestEventCheck(t *testing.T) {
	valid := Trade{ID: "52983525029461", Conditions: []string{"@", " ", "T"}, Venue: "V", Corrects: "é"}
	if err := valid.Check(); err != nil {
		t.Error(err)
	}
	long := strings.Repeat("x", 129)
	for field, trade := range map[string]Trade{
		"id": {ID: long}, "c": {Conditions: make([]string, 9)}, "x": {Venue: "a\nb"}, "corrects": {Corrects: long}, "cancels": {Cancels: "\xff"},
	} {
		var wrong *FieldError
		if err := trade.Check(); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := (&Trade{Conditions: []string{long}}).Check(); err == nil {
		t.Error("a long condition is valid")
	}
	for _, c := range []struct {
		status Status
		field  string
	}{{Status{}, "status"}, {Status{State: "Halted"}, "status"}, {Status{State: long}, "status"}, {Status{State: StateHalted, Reason: long}, "reason"}} {
		var wrong *FieldError
		if err := c.status.Check(); !errors.As(err, &wrong) || wrong.Field != c.field {
			t.Errorf("%+v: %v", c.status, err)
		}
	}
	if err := (&Status{State: "auction-2", Reason: "news – pending"}).Check(); err != nil {
		t.Error(err)
	}
}

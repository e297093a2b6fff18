package market

import (
	"testing"
	"time"

	"ticklane/internal/quote"
)

// TestDayOfASession: the figures begin anew when the session opens by the local clock, also on the days on which it changes.
func TestDayOfASession(t *testing.T) {
	session, err := quote.NewSession("America/New_York", "09:30", "16:00")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) int64 {
		t.Helper()
		when, err := time.ParseInLocation("2006-01-02 15:04:05", text, session.Zone)
		if err != nil {
			t.Fatal(err)
		}
		return when.UnixMicro()
	}
	var d Day
	d.Start(session, 100, at("2026-03-06 10:00:00"))
	for i, c := range []struct {
		at                         string
		price                      quote.Price
		open, high, low, prevClose quote.Price
		volume                     quote.Size
		newDay                     bool
	}{
		{"2026-03-06 10:00:00", 110, 100, 110, 100, 100, 5, false},
		{"2026-03-06 23:30:00", 90, 100, 110, 90, 100, 10, false}, // the next UTC day
		{"2026-03-07 09:29:59", 95, 100, 110, 90, 100, 15, false},
		{"2026-03-07 09:30:00", 96, 95, 96, 95, 95, 5, true},
		{"2026-03-08 09:29:59", 97, 95, 97, 95, 95, 10, false}, // summer time since 02:00
		{"2026-03-08 09:30:00", 94, 97, 97, 94, 97, 5, true},
		{"2026-03-16 09:29:59", -5, 94, 94, -5, 94, 5, true}, // a week without a tick
	} {
		var before, tick quote.Tick
		d.Fill(&before)
		d.Roll(at(c.at))
		d.Trade(c.price, 5)
		d.Fill(&tick)
		want := quote.Tick{Day: tick.Day, Last: c.price, Open: c.open, High: c.high, Low: c.low, PrevClose: c.prevClose, Volume: c.volume}
		if before.CountStarts != (i == 0) {
			t.Errorf("%s: the count starts before it: %v", c.at, before.CountStarts)
		}
		if tick != want || (tick.Day != before.Day) != c.newDay {
			t.Errorf("%s: %+v after day %d, want %+v", c.at, tick, before.Day, want)
		}
	}
}

// TestCountOfAFeed: with the volume that a feed counts, it is unknown when the count started, on every day.
func TestCountOfAFeed(t *testing.T) {
	var d Day
	d.Start(nil, 1, 0)
	for day := range int64(2) {
		d.Roll(day * dayMicros)
		d.SetVolume(700)
		var tick quote.Tick
		if d.Fill(&tick); tick.CountStarts || tick.Volume != 700 {
			t.Errorf("day %d: %+v", day, tick)
		}
	}
}

// TestDayVolumeIsBounded: no decoder rounds it.
func TestDayVolumeIsBounded(t *testing.T) {
	var d Day
	d.Start(nil, 1, 0)
	d.Trade(1, quote.MaxUnits)
	d.Trade(1, quote.MaxUnits)
	var tick quote.Tick
	if d.Fill(&tick); tick.Volume != quote.MaxUnits {
		t.Errorf("volume %d", tick.Volume)
	}
}

package replay

import (
	"strings"
	"testing"
	"time"

	"ticklane/internal/quote"
)

const fourRows = "time,symbol,price,volume\n2026-03-02 10:00,A,10,1\n2026-03-02 10:01,B,20,2\n2026-03-02 10:02,A,11,4\n2026-03-02 10:03,A,12,8\n"

// TestStart: the rows before the start are the past, at the distances of this speed; the replay begins with the newest of each symbol
// and goes on with the row at the start. Volumes of the day count all rows once.
func TestStart(t *testing.T) {
	s := newSource(t, writeFile(t, "a.csv", fourRows), func(o *Options) { o.Speed, o.Start, o.Loop, o.LogSize = 1000, "2026-03-02 10:02", false, 16 })
	now := time.Now()
	var past []quote.Tick
	if err := s.Past(t.Context(), now, func(ticks []quote.Tick) { past = append(past, ticks...) }); err != nil {
		t.Fatal(err)
	}
	if len(past) != 2 || past[0].Due != now.UnixMicro()-120_000 || past[1].Due != now.UnixMicro()-60_000 || past[1].Last != 2000 || !past[0].CountStarts {
		t.Errorf("past %+v", past)
	}
	ticks := replayAll(t, s)
	if len(ticks) != 4 {
		t.Fatalf("%+v", ticks)
	}
	for i, want := range []quote.Tick{{Symbol: 0, Last: 1000, Volume: 1, Due: 0}, {Symbol: 1, Last: 2000, Volume: 2}, {Symbol: 0, Last: 1100, Volume: 5}, {Symbol: 0, Last: 1200, Volume: 13, Due: 60_000}} {
		k := ticks[i]
		if k.Symbol != want.Symbol || k.Last != want.Last || k.Volume != want.Volume || k.Due != now.UnixMicro()+want.Due || (s.Events().Get(k.Event).Trade != nil) != (i >= 2) {
			t.Errorf("tick %d: %+v, want %+v", i, k, want)
		}
	}
}

// TestStartOfALoop: the next pass has all rows, a bar's length after the last one.
func TestStartOfALoop(t *testing.T) {
	s := newSource(t, writeFile(t, "a.csv", fourRows), func(o *Options) { o.Speed, o.Start, o.Loop = 6000, "2026-03-02T10:03:00Z", true })
	ticks := firstTicks(t, s, 4) // two of the opening, the last row, the first row
	if ticks[2].Last != 1200 || ticks[3].Last != 1000 || ticks[3].Due-ticks[2].Due != 10_000 {
		t.Errorf("%+v", ticks)
	}
}

func TestWrongStarts(t *testing.T) {
	path := writeFile(t, "a.csv", fourRows)
	for start, want := range map[string]string{
		"2026-03-02 10:04": "feed.start: 2026-03-02T10:04:00Z: the file has rows from 2026-03-02T10:00:00Z to 2026-03-02T10:03:00Z",
		"2026-03-02":       "the file has rows from",
		"10:02":            `feed.start: "10:02": want a time such as 2026-03-02T14:30:00Z or 2026-03-02`,
	} {
		if _, err := openSource(t, path, func(o *Options) { o.Start, o.Speed = start, 1 }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", start, err, want)
		}
	}
	if _, err := openSource(t, path, func(o *Options) { o.Start, o.Speed = "2026-03-02 10:02", MaxSpeed }); err == nil || !strings.Contains(err.Error(), "set feed.speed") {
		t.Error(err)
	}
}

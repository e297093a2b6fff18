package replay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/quote"
)

func TestReplayPaces(t *testing.T) {
	path := writeFile(t, "a.csv", "time,price\n2026-03-02 10:00:00,10\n2026-03-02 10:00:30,11\n2026-03-02 10:02:00,12\n")
	for _, tt := range []struct {
		speed float64
		want  []time.Duration
	}{
		{1, []time.Duration{0, 30 * time.Second, 2 * time.Minute}},
		{60, []time.Duration{0, time.Second / 2, 2 * time.Second}},
		{0.5, []time.Duration{0, time.Minute, 4 * time.Minute}},
		{MaxSpeed, []time.Duration{0, 0, 0}},
	} {
		r := newSource(t, path, func(o *Options) { o.Speed = tt.speed })
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			i := 0
			if err := r.Run(t.Context(), func(batch []quote.Tick) {
				for _, k := range batch {
					due, now := time.Duration(k.Due-start.UnixMicro())*time.Microsecond, time.Since(start)
					if due != tt.want[i] || now != due {
						t.Errorf("speed %v: tick %d came at %v, due at %v, want %v", tt.speed, i, now, due, tt.want[i])
					}
					i++
				}
			}); err != nil {
				t.Fatal(err)
			}
			if i != 3 {
				t.Errorf("%d ticks, want 3", i)
			}
		})
	}
}

func TestReplayLoopsForward(t *testing.T) {
	const text = "time,price\n1000,10\n1010,11\n1020,12\n"
	for name, content := range map[string]string{"ordered.csv": text, "unordered.csv": "time,price\n1020,12\n1010,11\n1000,10\n"} {
		path := writeFile(t, name, content)
		r := newSource(t, path, func(o *Options) { o.Speed, o.Loop, o.Format.Date = 10, true, "s" })
		synctest.Test(t, func(t *testing.T) {
			start := time.Now().UnixMicro()
			for i, k := range firstTicks(t, r, 10) {
				if want := quote.Price(1000 + i%3*100); k.Last != want || k.Due-start != int64(i)*1_000_000 {
					t.Errorf("%s: tick %d is at %v after %d µs, want %v each second", name, i, k.Last, k.Due-start, want)
				}
			}
		})
	}
	r := newSource(t, writeFile(t, "one.csv", "time,price\n5,1\n"), func(o *Options) { o.Loop, o.Format.Date = true, "s" })
	if n := len(firstTicks(t, r, 5000)); n < 5000 {
		t.Errorf("%d ticks of a loop at full speed", n)
	}
}

// TestTicksOfBars: order, times and volumes of the four ticks of a bar.
func TestTicksOfBars(t *testing.T) {
	path := writeFile(t, "A.csv", "time,open,high,low,close,volume\n1000,10,12,9,11,9\n1090,10,12,9,9.5,3\n1030,10,12,9,10,4\n")
	r := newSource(t, path, inSeconds)
	if r.scan.length() != 30_000_000 || r.scan.first != 1000e6 || r.scan.last != 1090e6 {
		t.Errorf("bars of %d µs from %d to %d", r.scan.length(), r.scan.first, r.scan.last)
	}
	var got []string
	volume := quote.Size(0)
	for _, k := range replayAll(t, r) {
		got = append(got, fmt.Sprintf("%s+%d", k.Last.Format(2), k.Volume-volume))
		volume = k.Volume
	}
	want := "10.00+2 9.00+2 12.00+2 11.00+3 " + "10.00+1 9.00+1 12.00+1 10.00+1 " + "10.00+0 12.00+0 9.00+0 9.50+3"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

// TestRowLength: the time between the last row and the first one of the next pass.
func TestRowLength(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"time,price\n1000,1\n":                                                     time.Second,
		"time,price\n1000,1\n1000,2\n":                                             time.Second,
		"time,price\n1000,1\n1010,2\n1030,3\n":                                     15 * time.Second,
		"time,open,high,low,close\n1000,1,1,1,1\n":                                 24 * time.Hour,
		"time,open,high,low,close\n2026-02-27,1,1,1,1\n2026-03-02,1,1,1,1\n":       24 * time.Hour, // a weekend between
		"time,open,high,low,close\n2026-02-27,1,1,1,1\n2026-03-06,1,1,1,1\n":       7 * 24 * time.Hour,
		"time,open,high,low,close\n1,1,1,1,1\n9,1,1,1,1\n12,1,1,1,1\n":             3 * time.Second,
		"time,open,high,low,close\n1,1,1,1,1\n4,1,1,1,1\n12,1,1,1,1\n":             3 * time.Second,
		"time,price\n1772461800000000,1\n1772461800000001,1\n1772461800000001,1\n": time.Microsecond,
	} {
		change := inSeconds
		if strings.Contains(text, "2026") || strings.Contains(text, "1772461800000000") {
			change = nil
		}
		if got := newSource(t, writeFile(t, "A.csv", text), change).scan.length(); got != want.Microseconds() {
			t.Errorf("%q: %d µs, want %v", text, got, want)
		}
	}
}

// TestDefaultsOfATick: bid, ask, sizes and the previous close if the row doesn't have them.
func TestDefaultsOfATick(t *testing.T) {
	for row, want := range map[string]quote.Tick{
		"1,10,11,,,":    {Bid: 1000, Ask: 1100, Last: 1050, PrevClose: 1050},
		"1,,11,10.5,,":  {Bid: 1099, Ask: 1100, Last: 1050, PrevClose: 1050},
		"1,,0.01,1,,":   {Bid: 1, Ask: 1, Last: 100, PrevClose: 100},
		"1,10,,10.5,7,": {Bid: 1000, Ask: 1001, BidSize: 7, Last: 1050, PrevClose: 1050},
		"1,,,10.5,,8":   {Bid: 1050, Ask: 1051, AskSize: 8, Last: 1050, PrevClose: 1050},
	} {
		s := newSource(t, writeFile(t, "A.csv", "time,bid,ask,last,bid_size,ask_size\n"+row+"\n"), inSeconds)
		ticks := replayAll(t, s)
		want.Open, want.High, want.Low, want.Due = want.PrevClose, want.PrevClose, want.PrevClose, ticks[0].Due
		want.Day, want.CountStarts = ticks[0].Day, true
		if ticks[0] != want {
			t.Errorf("%s:\n%+v, want\n%+v", row, ticks[0], want)
		}
		if reference := s.Universe().Instrument(0).Price; row == "1,10,11,,," && reference != 1050 || row == "1,,,10.5,,8" && reference != 1050 {
			t.Errorf("%s: reference price %v", row, reference)
		}
	}
}

// TestDueTimesDontRunBackwards: at MaxSpeed the due time is the clock's, which may be set back; at the lowest speed the times of the
// longest file are in range.
func TestDueTimesDontRunBackwards(t *testing.T) {
	r := newSource(t, writeFile(t, "A.csv", "time,price\n1700-01-01,1\n2026-03-02,2\n"), nil)
	p := newPlayback(t.Context(), r.scan, r.options, 0)
	for _, c := range []struct{ shift, now, want int64 }{{0, 100, 100}, {0, 90, 100}, {-50, 60, 60}, {0, 70, 70}, {30, 70, 70}} {
		p.Shift(c.shift)
		p.Turn(c.now)
		if due, ok := p.Due(); !ok || due != c.want {
			t.Errorf("%+v: due at %d, %t", c, due, ok)
		}
	}
	p = newPlayback(t.Context(), r.scan, Options{Speed: 0.001, Loop: true}, time.Now().UnixMicro())
	before := int64(0)
	for range 3 {
		var tick quote.Tick
		p.Next(&tick)
		if tick.Due < before {
			t.Errorf("due at %d after %d", tick.Due, before)
		}
		before = tick.Due
	}
}

// TestTextsOfTrades: id and venue are the file's, also of rows that were sorted on disk; quotes have none, and bars ignore the columns.
func TestTextsOfTrades(t *testing.T) {
	limitMemory(t, 2)
	const head, rows = "time,id,price,size,exchange\n", "2026-03-02 10:00,a1,1.5,25,V\n2026-03-02 10:01,,1.6,5,\n2026-03-02 10:02,null,1.7,3,NYSE Arca\n"
	lines := strings.SplitAfter(rows, "\n")
	for _, text := range []string{head + rows, head + lines[2] + lines[1] + lines[0]} {
		s := newSource(t, writeFile(t, "A.csv", text), func(o *Options) { o.LogSize = 16 })
		var got []string
		for _, k := range replayAll(t, s) {
			trade := s.Events().Get(k.Event).Trade
			got = append(got, fmt.Sprintf("%d %q %q", trade.Price, trade.ID, trade.Venue))
		}
		if want := `150 "a1" "V", 160 "" "", 170 "" "NYSE Arca"`; strings.Join(got, ", ") != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if _, err := openSource(t, writeFile(t, "A.csv", head+"2026-03-02 10:00,"+strings.Repeat("x", 65)+",1.5,25,V\n"), nil); err == nil || !strings.Contains(err.Error(), "A.csv:2: id: ") {
		t.Errorf("a long id: %v", err)
	}
	bars := newSource(t, writeFile(t, "A.csv", "time,open,high,low,close,volume,exchange\n2026-03-02 10:00,1,1,1,1,7,V\n"), nil)
	if ignored := bars.scan.layout.ignored(); !slices.Equal(ignored, []string{"exchange"}) {
		t.Errorf("ignored are %v", ignored)
	}
}

// TestTrades: rows with a price and a size are trades; quotes, and rows without a size, aren't, and neither are bars.
func TestTrades(t *testing.T) {
	for text, want := range map[string]string{
		"time,price,size\n2026-03-02 10:00,1.5,0.25\n2026-03-02 10:01,1.6,\n2026-03-02 10:02,,5\n2026-03-02 10:03,1.7,3\n": "150 x 25, , 170 x 300",
		"time,bid,ask,last,volume\n2026-03-02 10:00,1,2,1.5,7\n2026-03-02 10:01,1,2,,7\n":                                  "150 x 7, ",
		"time,price,day_volume\n2026-03-02 10:00,1.5,7\n":                                                                  "",
		"time,open,high,low,close,volume\n2026-03-02 10:00,1,1,1,1,7\n":                                                    ", , , ",
	} {
		s := newSource(t, writeFile(t, "A.csv", text), func(o *Options) { o.LogSize, o.OnBadRow = 16, SkipOnBadRows })
		var got []string
		for _, k := range replayAll(t, s) {
			text := ""
			if trade := s.Events().Get(k.Event).Trade; trade != nil {
				text = fmt.Sprintf("%d x %d", trade.Price, trade.Size)
			}
			got = append(got, text)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

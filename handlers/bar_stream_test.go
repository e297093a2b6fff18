package handlers_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// TestBarsOnStreamsEqualHistory: on both lanes and engines, in both encodings, live and resumed, the bars of a stream are those of
// /api/history, each right before the tick that ended it.
func TestBarsOnStreamsEqualHistory(t *testing.T) {
	const minute, start = 60_000_000, 1_772_409_600_000_000
	o := testserver.Options{Symbols: 2}
	onLanes(t, o, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		live := srv.Stream(lane, "channels=quotes,bars")
		others := srv.Stream(lane, "channels=quotes,trades,status")
		want := map[string][]string{}
		var order []string // kinds and symbols
		seen := [2]int64{-1, -1}
		var ticks []quote.Tick
		for i := range 40 {
			id, at := quote.ID(i%2), int64(i/3)
			if i%7 == 0 {
				at = max(0, at-2) // late
			}
			if seen[id] >= 0 && at > seen[id] {
				order = append(order, fmt.Sprint("bar S", id))
			}
			seen[id] = max(seen[id], at)
			order = append(order, fmt.Sprint("q S", id))
			p := quote.Price(10_000 + i*i%77)
			ticks = append(ticks, quote.Tick{Symbol: id, Due: start + at*minute + int64(i), Bid: p, Ask: p + 1, Last: p, Volume: quote.Size(i * 10)})
		}
		srv.Bus.Publish(ticks[:25])
		srv.Bus.Publish(ticks[25:])
		for _, symbol := range []string{"S0", "S1"} {
			_, body := srv.Get("/api/history?interval=1m&symbol=" + symbol)
			var page struct{ Bars []map[string]json.RawMessage }
			if err := json.Unmarshal([]byte(body), &page); err != nil {
				t.Fatal(err)
			}
			for i, b := range page.Bars[:len(page.Bars)-1] {
				want[symbol] = append(want[symbol], fmt.Sprintf(`"interval":"1m","t":%s,"o":%s,"h":%s,"l":%s,"c":%s,"v":%s,"complete":%t`, b["t"], b["o"], b["h"], b["l"], b["c"], b["v"], i > 0))
			}
		}
		if len(want["S0"]) < 5 || len(want["S1"]) < 5 {
			t.Fatalf("%d and %d bars", len(want["S0"]), len(want["S1"]))
		}
		check := func(c *testserver.Client, skipped int) {
			t.Helper()
			got, kinds := map[string][]string{}, []string(nil)
			var bar string
			for len(kinds) < len(order)-skipped {
				m := c.Next()
				switch m.T {
				case "snapshot":
					continue
				case "bar":
					bar = m.Text
					if m.EventID != "" {
						t.Errorf("id %s", m.EventID)
					}
				case "q":
					if bar != "" {
						text := fmt.Sprintf(`{"T":"bar","S":%q,`, m.S)
						end := fmt.Sprintf(`,"i":%d}`, m.I)
						if len(bar) < len(text)+len(end) || bar[:len(text)] != text || bar[len(bar)-len(end):] != end {
							t.Fatalf("%s before %s", bar, m.Text)
						}
						got[m.S] = append(got[m.S], bar[len(text):len(bar)-len(end)])
						bar = ""
					}
				}
				kinds = append(kinds, m.T+" "+m.S)
			}
			if !slices.Equal(kinds, order[skipped:]) {
				t.Errorf("got  %v\nwant %v", kinds, order[skipped:])
			}
			for symbol, bars := range want {
				if bars = bars[len(bars)-len(got[symbol]):]; !slices.Equal(got[symbol], bars) {
					t.Errorf("got  %v\nwant %v", got[symbol], bars)
				}
			}
		}
		check(live, 0)
		check(srv.ResumeStream(lane, quote.Position{Epoch: srv.Bus.Epoch(), Seq: 0}.String(), "channels=quotes,bars", false), 0)
		for n := range ticks {
			if m := others.WaitFor("q", "snapshot"); m.I != uint64(n+1) {
				t.Fatalf("%s", m.Text)
			}
		}
	})
}

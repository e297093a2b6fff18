package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// streamInfo is an entry of /api/connections.
type streamInfo struct {
	Lane   string   `json:"lane"`
	User   string   `json:"user"`
	Topics []string `json:"topics"`
	Ticks  uint64   `json:"ticks"`
}

// topics waits until the dashboard's stream has these topics on the server, in any order.
func (s *server) topics(lane string, want ...string) {
	s.t.Helper()
	slices.Sort(want)
	until(s.t, fmt.Sprintf("topics %q over %s", want, lane), func() (bool, string) {
		var v struct{ Connections []streamInfo }
		s.get("/api/connections", &v)
		if len(v.Connections) != 1 || v.Connections[0].Lane != lane {
			return false, fmt.Sprintf("%+v", v.Connections)
		}
		have := v.Connections[0].Topics
		slices.Sort(have)
		return slices.Equal(have, want), strings.Join(have, " ")
	})
}

// opened returns the number of streams opened so far, over both lanes.
func (s *server) opened() uint64 {
	l := s.stats().Lanes
	return l.SSE.Opened + l.WS.Opened
}

// TestTopicsFollowTheList: the stream's topics follow what the page shows, by commands on the open stream, without loss or
// duplicates.
func TestTopicsFollowTheList(t *testing.T) {
	t.Parallel()
	for _, lane := range []string{"sse", "ws"} {
		t.Run(lane, func(t *testing.T) {
			t.Parallel()
			s := serve(t, belowPath, "--market.rate", "100")
			b := openTab(t)
			b.visit(s.url + "/?symbol=AAPL&panel=trades&lane=" + lane)
			b.waitLive()
			s.topics(lane, "*")
			before := s.opened()

			b.click("[data-trades=symbol]") // the whole market's trades need the whole market
			b.click("[data-sector=financials]")
			s.topics(lane, "AAPL", "sector:financials")
			b.press("/")
			b.press("visa")
			s.topics(lane, "AAPL", "V")
			b.click("[data-trades=list]") // needs no topic besides the list's
			b.until("only trades of the list's symbols", `(() => {
				const of = [...document.querySelectorAll('#trades .trade:not([hidden]) b')].map((e) => e.textContent);
				return of.length > 0 && of.every((s) => s === 'V') && location.search.includes('trades=list');
			})()`)
			s.topics(lane, "AAPL", "V")
			b.until("only subscribed symbols count", `[...document.querySelectorAll('#breadth span')].reduce((n, e) => n + Number(e.textContent.replace(/\D/g, '')), 0) === 2`)

			// Subscribed again, the other symbols arrive with a snapshot.
			b.run(`document.querySelector('#search').value = ''; document.querySelector('#search').dispatchEvent(new Event('input'))`)
			b.click("[data-sector='']")
			s.topics(lane, "*")
			b.until("a price in every row", rows+`.length > 10 && `+rows+`.every((e) => /\d/.test(e.querySelector('.last').textContent))`)
			b.until("a sparkline in every row", rows+`.every((e) => /^M/.test(e.querySelector('.sparkcol path').getAttribute('d')))`)
			s.waitTicks(300)
			if now := s.opened(); now != before {
				t.Errorf("%d streams opened by changes of topics", now-before)
			}
			b.counters(map[string]int{"gaps": 0, "doubled": 0, "lost": 0, "reconnects": 0})
			b.clean()
		})
	}
}

// TestTopicsOnAPhone: without the table of trades the page subscribes to the symbols of its list and its chart.
func TestTopicsOnAPhone(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.size(390, 844)
	b.visit(s.url + "/?symbol=NVDA&q=micro")
	b.waitLive()
	b.until("matches of the search", `document.querySelector('#grid').ariaRowCount < 10`)
	s.topics("sse", append(b.symbols(), "NVDA")...)
	b.clean()
}

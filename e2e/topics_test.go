package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// streamInfo is one of /api/connections.
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

// opened returns how many streams there have been.
func (s *server) opened() uint64 {
	l := s.stats().Lanes
	return l.SSE.Opened + l.WS.Opened
}

// The stream's topics follow what the page shows, by commands on the open stream, and nothing is lost or doubled.
func TestTopicsFollowTheList(t *testing.T) {
	t.Parallel()
	for _, lane := range []string{"sse", "ws"} {
		t.Run(lane, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			b := openTab(t)
			b.visit(s.url + "/?symbol=AAPL&panel=trades&lane=" + lane)
			b.waitLive()
			s.topics(lane, "*")
			before := s.opened()

			b.click("[data-tape=symbol]") // the whole market's trades need the whole market
			b.click("[data-sector=financials]")
			s.topics(lane, "AAPL", "sector:financials")
			b.press("/")
			b.press("visa")
			s.topics(lane, "AAPL", "V")
			b.click("[data-tape=list]") // takes nothing that the list doesn't
			b.until("trades of what the list shows, alone", `(() => {
				const of = [...document.querySelectorAll('#tape .trade:not([hidden]) b')].map((e) => e.textContent);
				return of.length > 0 && of.every((s) => s === 'V') && location.search.includes('trades=list');
			})()`)
			s.topics(lane, "AAPL", "V")
			b.until("only what comes is kept", `[...document.querySelectorAll('#breadth span')].reduce((n, e) => n + Number(e.textContent.replace(/\D/g, '')), 0) === 2`)

			// Back: the rest is here again at once, with a snapshot.
			b.run(`document.querySelector('#search').value = ''; document.querySelector('#search').dispatchEvent(new Event('input'))`)
			b.click("[data-sector='']")
			s.topics(lane, "*")
			b.until("every row in sight has its price", rows+`.length > 10 && `+rows+`.every((e) => /\d/.test(e.querySelector('.last').textContent))`)
			b.until("and its line", rows+`.every((e) => /^M/.test(e.querySelector('.sparkcol path').getAttribute('d')))`)
			s.waitTicks(300)
			if now := s.opened(); now != before {
				t.Errorf("%d streams were opened for a change of topics", now-before)
			}
			b.counters(map[string]int{"gaps": 0, "doubled": 0, "lost": 0, "reconnects": 0})
			b.clean()
		})
	}
}

// A page without the tape's table subscribes to what its list shows and what its chart shows.
func TestTopicsOnAPhone(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.size(390, 844)
	b.visit(s.url + "/?symbol=NVDA&q=micro")
	b.waitLive()
	b.until("the search has found some", `document.querySelector('#grid').ariaRowCount < 10`)
	s.topics("sse", append(b.symbols(), "NVDA")...)
	b.clean()
}

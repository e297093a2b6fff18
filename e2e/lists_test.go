package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A list is made, filled by stars, put in order, renamed and deleted, by keyboard and mouse; the stream brings its
// symbols and no more, without another connection.
func TestLists(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile(filepath.Join(root, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatalf("axe-core is missing; run 'make assets': %v", err)
	}
	bothLanes(t, func(t *testing.T, query string) {
		lane := strings.TrimPrefix(query, "/?lane=")
		s := serve(t)
		b := openTab(t)
		b.size(390, 844) // without the tape's table, which takes the whole market
		b.visit(s.url + query + "&symbol=AAPL")
		b.waitLive()
		s.topics(lane, "*")
		before := s.opened()

		b.click("#lists-open")
		b.until("open", `document.querySelector('#lists').open && document.activeElement.ariaCurrent === 'true'`)
		b.click("#lists-name")
		b.press("Mine" + keys.enter)
		b.until("a new list is open and says that it is empty", `!document.querySelector('#lists').open && !document.querySelector('#empty').hidden &&
			/^Mine is empty/.test(document.querySelector('#empty-text').textContent) && document.querySelector('#list-label').textContent === 'Mine'`)
		s.topics(lane, "AAPL") // the chart's
		for _, symbol := range []string{"MSFT", "NVDA", "V"} {
			b.run(`document.querySelector('#search').value = '` + symbol + `'; document.querySelector('#search').dispatchEvent(new Event('input'))`)
			b.until(symbol+" is found beyond the list", `document.querySelector('#row-`+symbol+`')`)
			b.click("#row-" + symbol + " .star")
			b.until(symbol+" is on it", `document.querySelector('#row-`+symbol+` .star').ariaPressed === 'true'`)
		}
		b.run(`document.querySelector('#search').value = ''; document.querySelector('#search').dispatchEvent(new Event('input'))`)
		list := func(want string) {
			t.Helper()
			until(t, "rows "+want, func() (bool, string) {
				have := strings.Join(b.symbols(), " ")
				return have == want, have
			})
		}
		list("MSFT NVDA V")
		b.until("the chip counts the list", `document.querySelector("[data-sector='']").textContent === 'All 3'`)
		b.until("a star isn't a choice", `document.querySelector('#q-symbol').textContent === 'AAPL'`)
		s.topics(lane, "AAPL", "MSFT", "NVDA", "V")
		b.until("the address is a link to it", `new URLSearchParams(location.search).get('list') === 'MSFT,NVDA,V' && new URLSearchParams(location.search).get('name') === 'Mine'`)

		// The keyboard takes off, puts on and carries.
		b.run(`document.querySelector('#grid').focus()`)
		b.press(keys.up + keys.up + "s") // from the one that was starred last
		list("NVDA V")
		s.topics(lane, "AAPL", "NVDA", "V")
		b.press("s")
		list("NVDA V MSFT")
		b.run(`document.querySelector('#grid').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp', altKey: true, bubbles: true }))`)
		list("NVDA MSFT V")
		s.topics(lane, "AAPL", "MSFT", "NVDA", "V")

		b.click("#lists-open")
		b.click("[data-act=up][data-symbol=V]")
		b.until("the button that was pressed has the keyboard", `document.activeElement.dataset.act === 'up' && document.activeElement.dataset.symbol === 'V'`)
		b.audit(string(axe))
		b.click("[data-act=rename][data-list=Mine]")
		b.press("  My own " + keys.enter)
		b.until("renamed", `document.querySelector('#list-label').textContent === 'My own' && document.activeElement.dataset.list === 'My own'`)
		b.click("#lists-name")
		b.press("my OWN" + keys.enter)
		b.until("names are unique", `document.querySelector('#lists-said').textContent === 'A list with this name already exists.'`)
		b.click("[data-act=delete][data-list='My own']")
		b.until("deleted, with a way back", `document.querySelectorAll('#lists-all li').length === 1 && document.activeElement.id === 'lists-undo'`)
		b.press(keys.enter)
		b.until("and back", `document.querySelector('#lists-all [aria-current]').dataset.list === 'My own'`)
		b.press(keys.escape)
		list("NVDA V MSFT")
		if now := s.opened(); now != before {
			t.Errorf("%d streams were opened for a change of topics", now-before)
		}
		b.counters(map[string]int{"gaps": 0, "doubled": 0, "lost": 0, "reconnects": 0})

		b.reload()
		b.waitLive()
		list("NVDA V MSFT")
		b.until("it is the saved one", `document.querySelector('#list-bar').hidden`)
		b.clean()
	})
}

// A list by link is temporary until it is saved.
func TestListByLink(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.visit(s.url + "/?list=MSFT,AAPL,GONE,MSFT&name=From%20Ann")
	b.waitLive()
	b.until("the bar tells what it is", `document.querySelector('#list-told').textContent === 'From a link: From Ann · 3 symbols · 1 not available on this server'`)
	b.until("in its order", rows+`.map((e) => e.dataset.symbol).join() === 'MSFT,AAPL'`)
	b.click("#list-save")
	b.until("saved", `document.querySelector('#list-bar').hidden && JSON.parse(localStorage.getItem('ticklane.lists')).lists[0].name === 'From Ann'`)
	b.visit(s.url + "/?list=NVDA&name=from%20ann")
	b.waitLive()
	b.click("#list-save")
	b.until("under a name of its own", `document.querySelector('#list-label').textContent === 'from ann 2'`)
	b.visit(s.url + "/?list=NVDA")
	b.waitLive()
	b.click("#list-close")
	b.until("all symbols", `document.querySelector('#grid').ariaRowCount === '51' && !location.search.includes('list')`)
	b.clean()
}

// A server that comes back with fewer symbols would refuse the topics of before at every try.
func TestRestartWithFewerSymbols(t *testing.T) {
	t.Parallel()
	for _, lane := range []string{"sse", "ws"} {
		t.Run(lane, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			net := newProxy(t, s)
			var known struct {
				Symbols []struct{ Symbol string }
			}
			s.get("/api/symbols", &known)
			stays, goes := known.Symbols[3].Symbol, known.Symbols[40].Symbol
			b := openTab(t)
			b.size(390, 844)
			b.visit(net.url + "/?lane=" + lane + "&symbol=" + stays + "&list=" + stays + "," + goes)
			b.waitLive()
			s.topics(lane, stays, goes)
			s.stop()
			b.waitDisconnected()
			again := serve(t, "--market.symbols", "20")
			net.setTarget(again)
			b.state("live", "^Live$")
			again.topics(lane, stays)
			b.until("the row of what is gone went, and the bar says so", rows+`.map((e) => e.dataset.symbol).join() === '`+stays+`' &&
				/1 not available on this server/.test(document.querySelector('#list-told').textContent)`)
		})
	}
}

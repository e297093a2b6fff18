package e2e

import (
	"strings"
	"testing"
)

// TestLists creates a list, fills it by stars, orders, renames and deletes it, by keyboard and mouse. The stream's topics
// follow over the same connection.
func TestLists(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, query string) {
		lane := strings.TrimPrefix(query, "/?lane=")
		s := serve(t)
		b := openTab(t)
		b.size(390, 844) // without the table of trades, which subscribes to the whole market
		b.visit(s.url + query + "&symbol=AAPL")
		b.waitLive()
		s.topics(lane, "*")
		before := s.opened()

		b.click("#lists-open")
		b.until("open", `document.querySelector('#lists').open && document.activeElement.ariaCurrent === 'true'`)
		b.click("#lists-name")
		b.press("Mine" + keys.enter)
		b.until("a new list is open and empty", `!document.querySelector('#lists').open && !document.querySelector('#empty').hidden &&
			/^Mine is empty/.test(document.querySelector('#empty-text').textContent) && document.querySelector('#list-label').textContent === 'Mine'`)
		s.topics(lane, "AAPL") // the chart's
		for _, symbol := range []string{"MSFT", "NVDA", "V"} {
			b.run(`document.querySelector('#search').value = '` + symbol + `'; document.querySelector('#search').dispatchEvent(new Event('input'))`)
			b.until(symbol+" is found outside the list", `document.querySelector('#row-`+symbol+`')`)
			b.click("#row-" + symbol + " .star")
			b.until(symbol+" is on the list", `document.querySelector('#row-`+symbol+` .star').ariaPressed === 'true'`)
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
		b.until("a star selects nothing", `document.querySelector('#q-symbol').textContent === 'AAPL'`)
		s.topics(lane, "AAPL", "MSFT", "NVDA", "V")
		b.until("the list is in the address", `new URLSearchParams(location.search).get('list') === 'MSFT,NVDA,V' && new URLSearchParams(location.search).get('name') === 'Mine'`)

		// Remove, add and move by keyboard.
		b.run(`document.querySelector('#grid').focus()`)
		b.press(keys.up + keys.up + "s") // from the last starred symbol
		list("NVDA V")
		s.topics(lane, "AAPL", "NVDA", "V")
		b.press("s")
		list("NVDA V MSFT")
		b.run(`document.querySelector('#grid').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp', altKey: true, bubbles: true }))`)
		list("NVDA MSFT V")
		s.topics(lane, "AAPL", "MSFT", "NVDA", "V")

		b.click("#lists-open")
		b.click("[data-act=up][data-symbol=V]")
		b.until("the pressed button keeps the focus", `document.activeElement.dataset.act === 'up' && document.activeElement.dataset.symbol === 'V'`)
		b.audit()
		b.click("[data-act=rename][aria-label='Rename Mine']")
		b.press("  My own " + keys.enter)
		b.until("renamed", `document.querySelector('#list-label').textContent === 'My own' && document.activeElement.ariaLabel === 'Rename My own'`)
		b.click("#lists-name")
		b.press("my OWN" + keys.enter)
		b.until("names are unique", `document.querySelector('#lists-status').textContent === 'A list with this name already exists.'`)
		b.click("[data-act=delete][aria-label='Delete My own']")
		b.until("deleted, with undo", `document.querySelectorAll('#lists-all li').length === 1 && document.activeElement.id === 'lists-undo'`)
		b.press(keys.enter)
		b.until("restored", `document.querySelector('#lists-all [aria-current] span').textContent === 'My own'`)
		b.press(keys.escape)
		list("NVDA V MSFT")
		if now := s.opened(); now != before {
			t.Errorf("%d streams opened by changes of topics", now-before)
		}
		b.counters(map[string]int{"gaps": 0, "doubled": 0, "lost": 0, "reconnects": 0})

		b.reload()
		b.waitLive()
		list("NVDA V MSFT")
		b.until("it is the saved one", `document.querySelector('#list-bar').hidden`)
		b.clean()
	})
}

// TestListByLink: a list from a link is temporary until it is saved. Symbols that are pasted, or in a file, make another list.
func TestListByLink(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openLive(t, s.url+"/?list=MSFT,AAPL,GONE,MSFT&name=From%20Ann")
	b.until("the bar describes it", `document.querySelector('#list-summary').textContent === 'From a link: From Ann · 3 symbols · 1 not available on this server'`)
	b.until("in its order", rows+`.map((e) => e.dataset.symbol).join() === 'MSFT,AAPL'`)
	b.click("#list-save")
	b.until("saved", `document.querySelector('#list-bar').hidden && JSON.parse(localStorage.getItem('ticklane.lists')).lists[0].name === 'From Ann'`)
	b.visit(s.url + "/?list=NVDA&name=from%20ann")
	b.waitLive()
	b.click("#list-save")
	b.until("under a unique name", `document.querySelector('#list-label').textContent === 'from ann 2'`)
	b.visit(s.url + "/?list=NVDA")
	b.waitLive()
	b.click("#list-close")
	b.until("all symbols", `document.querySelector('#grid').ariaRowCount === '51' && !location.search.includes('list')`)

	b.click("#lists-open")
	b.until("the lists", `document.querySelector('#lists').open`)
	b.click("#lists-import")
	b.until("the import", `document.activeElement.id === 'import-text'`)
	b.press("ko, pep nope;KO" + keys.enter + "jpm")
	b.until("what it would do", `document.querySelector('#import-status').textContent === '3 symbols to add · 1 already there or repeated · Not available on this server: nope'`)
	b.audit()
	b.run(`document.querySelector('#import form').requestSubmit()`)
	b.until("a new list needs a name", `document.activeElement.id === 'import-name' && document.activeElement.ariaInvalid === 'true'`)
	b.run(`const all = new DataTransfer();
		all.items.add(new File(['\ufeffName,Symbol\r\n"Visa, Inc.",V\r\nApple,aapl\r\n'], 'My broker.csv'));
		document.querySelector('#import-file').files = all.files;
		document.querySelector('#import-file').dispatchEvent(new Event('change', { bubbles: true }))`)
	b.until("the file's symbols, and its name", `document.querySelector('#import-status').textContent === '2 symbols to add' && document.querySelector('#import-name').value === 'My broker'`)
	b.run(`document.querySelector('#import form').requestSubmit()`)
	b.until("the list is open", `!document.querySelector('dialog[open]') && document.querySelector('#list-label').textContent === 'My broker' && `+rows+`.map((e) => e.dataset.symbol).join() === 'V,AAPL'`)
	b.clean()
}

// TestRestartWithFewerSymbols: after a restart the page drops topics that the server no longer has; with them, every
// attempt to connect would be refused.
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
			b.until("the unknown symbol is gone and counted in the bar", rows+`.map((e) => e.dataset.symbol).join() === '`+stays+`' &&
				/1 not available on this server/.test(document.querySelector('#list-summary').textContent)`)
		})
	}
}

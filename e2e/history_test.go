package e2e

import "testing"

// TestViewHistory goes back and forward through symbols, intervals, panels, lists and several charts. What refines a view
// is no step.
func TestViewHistory(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openLive(t, s.url+"/?symbol=AAPL&list=AAPL,MSFT,NVDA&name=Three")
	first := eval[int](b, `history.length`)
	view := func(what, symbol, interval, panel, rows, charts string) {
		t.Helper()
		b.until(what, `document.querySelector('#q-symbol').textContent === '`+symbol+`' && document.querySelector("[data-interval][aria-pressed=true]").dataset.interval === '`+interval+`' &&
			document.querySelector('[role=tab][aria-selected=true]').id === 'tab-`+panel+`' && document.querySelector('#grid').ariaRowCount === '`+rows+`' &&
			document.querySelector('#chart').dataset.count === '`+charts+`'`)
	}
	b.click("#row-MSFT")
	b.click("[data-interval='5m']")
	b.click("#tab-movers")
	b.run(`document.querySelector('#search').value = 'NVDA'; document.querySelector('#search').dispatchEvent(new Event('input'))`)
	b.until("searched", `document.querySelector('#grid').ariaRowCount === '2'`)
	b.click("[data-charts='2']")
	b.click("#list-close")
	view("all symbols that match, two charts", "MSFT", "5m", "movers", eval[string](b, `document.querySelector('#grid').ariaRowCount`), "2")
	if n := eval[int](b, `history.length`) - first; n != 4 {
		t.Errorf("%d entries in the history, want one for each of symbol, interval, panel and list", n)
	}
	b.run(`history.back()`)
	view("the list, with the search", "MSFT", "5m", "movers", "2", "2")
	b.run(`history.back()`)
	view("the panel before", "MSFT", "5m", "heat", "4", "1")
	b.until("the search field follows", `document.querySelector('#search').value === ''`)
	b.run(`history.go(-2)`)
	view("the first symbol", "AAPL", "1m", "heat", "4", "1")
	b.until("the quotes of its chart", `document.title.startsWith('AAPL')`)
	b.run(`history.go(3)`)
	view("forward", "MSFT", "5m", "movers", "2", "2")
	b.reload()
	b.waitLive()
	view("after a reload", "MSFT", "5m", "movers", "2", "2")
	b.run(`history.go(-3)`)
	view("back before the reload", "AAPL", "1m", "heat", "4", "1")
	b.clean()
}

package e2e

import (
	"testing"
)

// Columns are chosen and moved by keyboard alone, hold at once, and stand in the address and in the browser.
func TestColumns(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.visit(s.url + "/")
	b.live()
	const heads = `[...document.querySelectorAll('.rowg.h [data-sort]')].map((e) => e.dataset.sort).join()`
	b.until("the standard", heads+` === 'symbol,last,change,spark,bid,ask,volume,age'`)
	b.run(`document.querySelector('#columns-open').focus()`)
	b.press(keys.enter)
	b.until("the first choice has the keyboard", `document.querySelector('#columns').open && document.activeElement.value === 'last'`)
	b.press(" ")
	b.until("without the last price", heads+` === 'symbol,change,spark,bid,ask,volume,age' && document.activeElement.value === 'last'`)
	b.run(`document.querySelector('#columns-list [value=range]').focus()`)
	b.press(" ")
	b.run(`document.querySelector('[data-column=range][data-move=up]').focus()`)
	b.press(keys.enter + keys.enter)
	b.until("moved up twice, the keyboard still there", heads+` === 'symbol,change,spark,bid,ask,range,volume,age' &&
		document.activeElement.dataset.column === 'range' && document.activeElement.dataset.move === 'up'`)
	const want = "change,spark,bid,ask,range,volume,age"
	b.until("the address holds them", `location.search.includes('cols=`+want+`')`)
	b.press(keys.escape)
	b.until("shut, the keyboard back", `!document.querySelector('#columns').open && document.activeElement.id === 'columns-open'`)
	b.until("each row tells its day", rows+`.every((e) => /^low \d.*, high \d/.test(e.querySelector('.range').textContent))`)
	b.click("[data-sort=range] button")
	b.until("sorted by the place in the day", `document.querySelector('[data-sort=range]').ariaSort === 'descending' && location.search.includes('sort=-range')`)

	b.visit(s.url + "/")
	b.state("live", "^Live$")
	b.until("kept", heads+` === 'symbol,`+want+`'`)
	b.visit(s.url + "/?cols=age,shoe,last")
	b.live()
	b.until("a link goes before what was kept", heads+` === 'symbol,age,last'`)
	b.click("#columns-open")
	b.click("#columns-reset")
	b.until("the standard again", heads+` === 'symbol,last,change,spark,bid,ask,volume,age' && !location.search.includes('cols')`)
	b.clean()
}

package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// heads are the columns of the watchlist, from left to right.
const columnOrder = `[...document.querySelectorAll('.rowg.h [data-sort]')].map((e) => e.dataset.sort).join()`

// Columns are chosen and moved by keyboard alone, hold at once, and stand in the address and in the browser.
func TestColumns(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.visit(s.url + "/")
	b.waitLive()
	b.until("the standard", columnOrder+` === 'symbol,last,change,spark,bid,ask,volume,age'`)
	b.run(`document.querySelector('#columns-open').focus()`)
	b.press(keys.enter)
	b.until("the first choice has the keyboard", `document.querySelector('#columns').open && document.activeElement.value === 'last'`)
	b.press(" ")
	b.until("without the last price", columnOrder+` === 'symbol,change,spark,bid,ask,volume,age' && document.activeElement.value === 'last'`)
	b.run(`document.querySelector('#columns-list [value=range]').focus()`)
	b.press(" ")
	b.run(`document.querySelector('[data-column=range][data-move=up]').focus()`)
	b.press(keys.enter + keys.enter)
	b.until("moved up twice, the keyboard still there", columnOrder+` === 'symbol,change,spark,bid,ask,range,volume,age' &&
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
	b.until("kept", columnOrder+` === 'symbol,`+want+`'`)
	b.visit(s.url + "/?cols=age,shoe,last")
	b.waitLive()
	b.until("a link goes before what was kept", columnOrder+` === 'symbol,age,last'`)
	b.click("#columns-open")
	b.click("#columns-reset")
	b.until("the standard again", columnOrder+` === 'symbol,last,change,spark,bid,ask,volume,age' && !location.search.includes('cols')`)
	b.clean()
}

// A column is carried to its place by its head, or by its grip in the dialog; a release there sorts nothing.
func TestColumnsByPointer(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.visit(s.url + "/")
	b.waitLive()
	mouse := func(kind input.DispatchMouseEventType, buttons int64) func(x, y float64) {
		return func(x, y float64) {
			b.call(chromedp.Call(b.ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{
				Type: kind, X: x, Y: y, Button: input.MouseButtonLeft, Buttons: buttons, ClickCount: 1}))
		}
	}
	b.drag("[data-sort=ask]", "[data-sort=last]", "", mouse(input.DispatchMouseEventTypeMousePressed, 1), mouse(input.DispatchMouseEventTypeMouseMoved, 1),
		mouse(input.DispatchMouseEventTypeMouseReleased, 0))
	b.until("the ask comes first", columnOrder+` === 'symbol,ask,last,change,spark,bid,volume,age' && location.search.includes('cols=ask,last')`)
	b.until("nothing is sorted, nothing carried", `!document.querySelector('[aria-sort]') && !document.querySelector('.carried')`)
	b.run(`await new Promise((done) => setTimeout(done))`) // by such a timer the page waits for the click of a release
	b.click("[data-sort=ask] button")
	b.until("a click sorts as ever", `document.querySelector('[data-sort=ask]').ariaSort === 'descending'`)

	b.click("#columns-open")
	touch := func(kind input.DispatchTouchEventType) func(x, y float64) {
		return func(x, y float64) {
			at := []*input.TouchPoint{{X: x, Y: y}}
			if kind == input.DispatchTouchEventTypeTouchEnd {
				at = []*input.TouchPoint{}
			}
			b.call(chromedp.Call(b.ctx, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: at}))
		}
	}
	b.drag("#columns-list li:has([value=ask])", "#columns-list li:has([value=spark])", " .grip", touch(input.DispatchTouchEventTypeTouchStart),
		touch(input.DispatchTouchEventTypeTouchMove), touch(input.DispatchTouchEventTypeTouchEnd))
	const want = "last,change,spark,ask,bid,volume,age"
	b.until("a finger puts it after the line", columnOrder+` === 'symbol,`+want+`' && !document.querySelector('.carried') && document.querySelector('#columns').open`)
	b.visit(s.url + "/")
	b.waitLive()
	b.until("kept", columnOrder+` === 'symbol,`+want+`'`)
	b.clean()
}

// drag carries an element, held by a part of it, onto another one. What carries it is fetched with the first press, so
// the pointer moves until it does.
func (b *tab) drag(what, onto, part string, press, move, release func(x, y float64)) {
	b.t.Helper()
	const middle = `(() => { const r = document.querySelector(%q).getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; })()`
	from, to := eval[[]float64](b, fmt.Sprintf(middle, what+part)), eval[[]float64](b, fmt.Sprintf(middle, onto+part))
	dx, dy := 0.0, 0.0 // a little further, and there it stays
	if from[0] != to[0] {
		dx = (to[0] - from[0]) / 50
	} else {
		dy = (to[1] - from[1]) / 50
	}
	press(from[0], from[1])
	step := 0.0
	until(b.t, what+" is carried", func() (bool, string) {
		step = 1 - step
		move(to[0]+(2+step)*dx, to[1]+(2+step)*dy)
		return eval[bool](b, fmt.Sprintf(`Boolean(document.querySelector(%q)?.matches('.carried'))`, what)), "not yet"
	})
	move(to[0]+4*dx, to[1]+4*dy)
	release(to[0]+4*dx, to[1]+4*dy)
}

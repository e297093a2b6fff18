package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// columnOrder is the watchlist's columns, from left to right.
const columnOrder = `[...document.querySelectorAll('.rowg.h [data-sort]')].map((e) => e.dataset.sort).join()`

// TestColumns chooses and moves columns by keyboard: they change at once, and are in the address and kept in the browser.
func TestColumns(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openLive(t, s.url+"/")
	b.until("the defaults", columnOrder+` === 'symbol,last,change,spark,bid,ask,volume,age'`)
	b.run(`document.querySelector('#columns-open').focus()`)
	b.press(keys.enter)
	b.until("the first column is focused", `document.querySelector('#columns').open && document.activeElement.value === 'last'`)
	b.press(" ")
	b.until("without the last price", columnOrder+` === 'symbol,change,spark,bid,ask,volume,age' && document.activeElement.value === 'last'`)
	b.run(`document.querySelector('#columns-list [value=range]').focus()`)
	b.press(" ")
	b.run(`document.querySelector('[data-column=range][data-move=up]').focus()`)
	b.press(keys.enter + keys.enter)
	b.until("moved up twice, still focused", columnOrder+` === 'symbol,change,spark,bid,ask,range,volume,age' &&
		document.activeElement.dataset.column === 'range' && document.activeElement.dataset.move === 'up'`)
	const want = "change,spark,bid,ask,range,volume,age"
	b.until("in the address", `location.search.includes('cols=`+want+`')`)
	b.press(keys.escape)
	b.until("closed, with the button focused", `!document.querySelector('#columns').open && document.activeElement.id === 'columns-open'`)
	b.until("each row has its day's range", rows+`.every((e) => /^low \d.*, high \d/.test(e.querySelector('.range').textContent))`)
	b.click("[data-sort=range] button")
	b.until("sorted by the position in the range", `document.querySelector('[data-sort=range]').ariaSort === 'descending' && location.search.includes('sort=-range')`)

	b.visit(s.url + "/")
	b.state("live", "^Live$")
	b.until("kept", columnOrder+` === 'symbol,`+want+`'`)
	b.visit(s.url + "/?cols=age,shoe,last")
	b.waitLive()
	b.until("a link overrides the kept columns", columnOrder+` === 'symbol,age,last'`)
	b.click("#columns-open")
	b.click("#columns-reset")
	b.until("the defaults again", columnOrder+` === 'symbol,last,change,spark,bid,ask,volume,age' && !location.search.includes('cols')`)
	b.clean()
}

// TestColumnsByPointer drags a column by its header with the mouse, and by its grip in the dialog with a finger. It sets the
// width of a column by mouse, finger and keys.
func TestColumnsByPointer(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openLive(t, s.url+"/")
	b.drag("[data-sort=ask]", "[data-sort=last]", "", b.pressMouse, b.move, b.releaseMouse)
	b.until("ask is first", columnOrder+` === 'symbol,ask,last,change,spark,bid,volume,age' && location.search.includes('cols=ask,last')`)
	b.until("not sorted, nothing being dragged", `!document.querySelector('[aria-sort]') && !document.querySelector('.carried')`)
	b.run(`await new Promise((done) => setTimeout(done))`) // the page ignores the click of a release until such a timer
	b.click("[data-sort=ask] button")
	b.until("a click sorts", `document.querySelector('[data-sort=ask]').ariaSort === 'descending'`)

	// The edge between two columns: what one gains the other loses.
	const width = `Math.round(document.querySelector('[data-sort=%s]').getBoundingClientRect().width)`
	bid, volume := eval[int](b, fmt.Sprintf(width, "bid")), eval[int](b, fmt.Sprintf(width, "volume"))
	widths := func(what string, bidMore, volumeMore int) {
		t.Helper()
		b.until(what, fmt.Sprintf(width+` === %d && `+width+` === %d`, "bid", bid+bidMore, "volume", volume+volumeMore))
	}
	at := eval[[]float64](b, `(() => { const r = document.querySelector('[data-sort=volume] .resizer').getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; })()`)
	b.pressMouse(at[0], at[1])
	b.move(at[0]-5, at[1])
	b.move(at[0]-20, at[1])
	b.releaseMouse(at[0]-20, at[1])
	widths("the edge follows the mouse", -20, 20)
	b.until("not moved nor sorted by it", columnOrder+` === 'symbol,ask,last,change,spark,bid,volume,age' && document.querySelector('[data-sort=ask]').ariaSort === 'descending'`)
	b.until("the edge has the focus, and the width", `document.activeElement.ariaValueNow === '`+fmt.Sprint(volume+20)+`'`)
	b.run(`document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }))`)
	widths("the edge moves by keys", -16, 16)
	b.reload()
	b.waitLive()
	widths("kept", -16, 16)
	b.run(`document.querySelector('[data-sort=volume] .resizer').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))`)
	widths("a double click resets", 0, 0)

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
	b.until("after the sparkline", columnOrder+` === 'symbol,`+want+`' && !document.querySelector('.carried') && document.querySelector('#columns').open`)
	b.visit(s.url + "/")
	b.waitLive()
	b.until("kept", columnOrder+` === 'symbol,`+want+`'`)
	at = eval[[]float64](b, `(() => { const r = document.querySelector('[data-sort=volume] .resizer').getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; })()`)
	touch(input.DispatchTouchEventTypeTouchStart)(at[0], at[1])
	touch(input.DispatchTouchEventTypeTouchMove)(at[0]-6, at[1])
	touch(input.DispatchTouchEventTypeTouchMove)(at[0]-12, at[1])
	touch(input.DispatchTouchEventTypeTouchEnd)(at[0]-12, at[1])
	widths("the edge follows a finger", -12, 12)
	b.clean()
}

// drag drags an element, by a part of it, onto another one. The page loads the code for it at the first press, so the pointer
// moves until the element follows.
func (b *tab) drag(what, onto, part string, press, move, release func(x, y float64)) {
	b.t.Helper()
	const middle = `(() => { const r = document.querySelector(%q).getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; })()`
	from, to := eval[[]float64](b, fmt.Sprintf(middle, what+part)), eval[[]float64](b, fmt.Sprintf(middle, onto+part))
	dx, dy := 0.0, 0.0 // slightly beyond the middle
	if from[0] != to[0] {
		dx = (to[0] - from[0]) / 50
	} else {
		dy = (to[1] - from[1]) / 50
	}
	press(from[0], from[1])
	step := 0.0
	until(b.t, what+" is dragged", func() (bool, string) {
		step = 1 - step
		move(to[0]+(2+step)*dx, to[1]+(2+step)*dy)
		return eval[bool](b, fmt.Sprintf(`Boolean(document.querySelector(%q)?.matches('.carried'))`, what)), "not yet"
	})
	move(to[0]+4*dx, to[1]+4*dy)
	release(to[0]+4*dx, to[1]+4*dy)
}

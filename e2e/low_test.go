package e2e

import (
	"fmt"
	"testing"
)

// unreachable lists the controls of the page, or of its open dialog, sheet or menu, that scrolling does not bring into view:
// parts of them are outside the window, or something else covers them. Rows of the watchlist are one control, the list.
const unreachable = `(() => {
	const wrong = [];
	const root = ['dialog[open]', '.menu[open] .menu-body', '.lane.open', '.market.open'].map((s) => document.querySelector(s)).find((e) => e) ?? document;
	for (const e of root.querySelectorAll('button, a, input, select, summary, [tabindex="0"]')) {
		if (!e.checkVisibility({ visibilityProperty: true }) || e.closest('.skip, .visually-hidden, .rows, noscript')) continue;
		e.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
		const { top, bottom, width, height } = e.getBoundingClientRect();
		const what = e.outerHTML.slice(0, 80);
		if (height <= innerHeight / 2 && (top < -1 || bottom > innerHeight + 1)) { wrong.push('outside, from ' + Math.round(top) + ' to ' + Math.round(bottom) + ': ' + what); continue; }
		if (!width || !height) { wrong.push('no size: ' + what); continue; }
		for (const box of e.getClientRects()) { // one for each line of a link in a text
			if (!box.width || !box.height) continue;
			const hit = document.elementFromPoint((box.left + box.right) / 2, (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2);
			if (!hit || !(e.contains(hit) || hit.closest('label')?.contains(e))) wrong.push('covered by ' + hit?.outerHTML.slice(0, 80) + ': ' + what);
		}
	}
	scrollTo(0, 0);
	return wrong;
})()`

// lowSizes are 200 % zoom of a laptop, a phone held sideways, and a low window of a large screen.
var lowSizes = [][2]int64{{720, 450}, {640, 360}, {1024, 400}}

// checkLow fails the test for each control that is out of reach in a low window.
func (b *tab) checkLow(state string) {
	b.t.Helper()
	for _, size := range lowSizes {
		b.size(size[0], size[1])
		b.until("resized", fmt.Sprintf("innerWidth === %d && innerHeight === %d", size[0], size[1]))
		for _, fault := range eval[[]string](b, unreachable) {
			b.t.Errorf("%s at %d × %d: %s", state, size[0], size[1], fault)
		}
	}
}

// TestLowWindows shows every page and panel in low windows: charts and lists keep a height, the page scrolls, and no
// control is out of reach.
func TestLowWindows(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openLive(t, s.url+"/")
	b.until("a drawn chart", drawn)
	b.checkLow("dashboard")
	for _, size := range lowSizes {
		b.size(size[0], size[1])
		b.until("a chart of 130 px, four rows, a panel of 80 px", `(() => {
			const high = (s) => document.querySelector(s).clientHeight;
			const rows = (high('#grid') - document.querySelector('.rowg.h').offsetHeight) / document.querySelector('.rows .rowg').offsetHeight;
			return high('.plot') >= 130 && rows >= 4 && (innerWidth < 901 || high('#heat') >= 80 && high('#log') >= 60) && document.scrollingElement.scrollHeight > innerHeight;
		})()`)
	}
	for _, state := range []struct{ name, open, close string }{
		{"chart menu", `document.querySelector('#chart-menu').open = true`, `document.querySelector('#chart-menu').open = false`},
		{"settings", `document.querySelector('#settings').showModal()`, `document.querySelector('#settings').close()`},
		{"shortcuts", `document.querySelector('#keys').showModal()`, `document.querySelector('#keys').close()`},
		{"lists", `document.querySelector('#lists').showModal()`, `document.querySelector('#lists').close()`},
		{"columns", `document.querySelector('#columns-open').click()`, `document.querySelector('#columns').close()`},
		{"alert", `document.querySelector('#alert-new').click()`, `document.querySelector('#alert').close()`},
		{"lane", `document.querySelector('#lane').classList.add('open')`, `document.querySelector('#lane').classList.remove('open')`},
		{"heatmap", `document.querySelector('#market').classList.add('open')`, ``},
		{"movers", `document.querySelector('#tab-movers').click()`, ``},
		{"trades", `document.querySelector('#tab-trades').click()`, ``},
		{"alerts", `document.querySelector('#tab-alerts').click()`, ``},
	} {
		b.run(state.open)
		b.until(state.name+" begins with its title", `(document.querySelector('dialog[open]')?.scrollTop ?? 0) === 0`)
		b.checkLow(state.name)
		b.run(state.close)
	}
	for _, path := range []string{"/compare", "/reports", "/docs#events", "/nothing", "/sse/home", "/?q=zzz"} {
		b.visit(s.url + path)
		b.checkLow(path)
	}
}

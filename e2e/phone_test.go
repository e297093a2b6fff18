package e2e

import (
	"fmt"
	"testing"
)

// phoneFaults lists what is wrong with a page on a phone: elements wider than the screen, and targets too low for a finger.
// A link inside a sentence is as high as its line (WCAG 2.2, 2.5.8).
const phoneFaults = `(() => {
	const wrong = [];
	const { scrollWidth } = document.scrollingElement;
	const { width: screenWidth } = screen; // a phone shows a page that is too wide smaller, and innerWidth is then the page's
	if (scrollWidth > screenWidth) wrong.push('the page is ' + scrollWidth + ' px wide');
	for (const e of document.querySelectorAll('button, a, input, select')) {
		const { width, height, left, right } = (e.matches('[type=checkbox]') && e.closest('label') || e).getBoundingClientRect();
		if (!e.checkVisibility({ checkVisibilityCSS: true }) || !width || e.closest('.skip, p, li')) continue;
		const what = e.outerHTML.slice(0, 80);
		if (height < 40) wrong.push(Math.round(height) + ' px high: ' + what);
		if (left < 0 || right > screenWidth + 1) { if (!e.closest('.chips, .noscript-list-table')) wrong.push('sticks out: ' + what); }
	}
	return wrong;
})()`

// checkPhone fails the test for each fault of the page on a phone.
func (b *tab) checkPhone() {
	b.t.Helper()
	for _, fault := range eval[[]string](b, phoneFaults) {
		b.t.Error(fault)
	}
}

// TestPhone loads pages on the narrowest phone and widens them to a usual one.
func TestPhone(t *testing.T) {
	t.Parallel()
	s := serve(t, "--load.reports", reportsDir(t))
	for _, path := range []string{"/", "/?lane=ws", "/sse/home?user=me", "/ws/home?user=me", "/nothing", "/docs", "/reports", "/cluster"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			b := openTab(t)
			b.size(320, 844)
			b.visit(s.url + path)
			for _, width := range []int64{320, 390} {
				b.size(width, 844)
				b.until(fmt.Sprint(width, " px"), fmt.Sprintf("screen.width === %d", width))
				if path[1:] == "" || path[1] == '?' {
					b.waitLive()
					b.until("a drawn chart", drawn)
				}
				b.checkPhone()
			}
			if path == "/reports" {
				b.until("links of the trend", `document.querySelector('#trend-table a')`)
				b.checkPhone()
			}
			if path == "/docs" {
				b.clean()
			}
		})
	}
}

// TestPhoneLaneSheet opens the connection's figures by its state and closes them again.
func TestPhoneLaneSheet(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.size(390, 844)
	b.visit(s.url + "/")
	b.waitLive()
	b.click("#state")
	b.until("the sheet is open", `document.querySelector('#state').ariaExpanded === 'true' && document.querySelector('#n-lost').checkVisibility()`)
	b.checkPhone()
	b.click("#lane-close")
	b.until("it is closed", `document.querySelector('#state').ariaExpanded === 'false' && !document.querySelector('#n-lost').checkVisibility()`)
	b.clean()
}

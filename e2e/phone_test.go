package e2e

import (
	"testing"
)

// narrow lists what is wrong with a page on a phone: what sticks out sideways, and what a finger can't hit. A link
// inside a sentence is as high as its line (WCAG 2.2, 2.5.8).
const phoneFaults = `(() => {
	const wrong = [];
	const { scrollWidth } = document.scrollingElement;
	const { width: screenWidth } = screen; // a phone shows a page that is too wide smaller, and innerWidth is then the page's
	if (scrollWidth > screenWidth) wrong.push('the page is ' + scrollWidth + ' px wide');
	for (const e of document.querySelectorAll('button, a, input, select')) {
		const { width, height, left, right } = e.getBoundingClientRect();
		if (!e.checkVisibility({ checkVisibilityCSS: true }) || !width || e.closest('.skip, p, li')) continue;
		const what = e.outerHTML.slice(0, 80);
		if (height < 40) wrong.push(Math.round(height) + ' px high: ' + what);
		if (left < 0 || right > screenWidth + 1) { if (!e.closest('.chips, .plainlist-table')) wrong.push('sticks out: ' + what); }
	}
	return wrong;
})()`

func TestPhone(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, path := range []string{"/", "/?lane=ws", "/sse/home?user=me", "/ws/home?user=me", "/nothing", "/docs"} {
		for _, width := range []int64{390, 320} {
			b := openTab(t)
			b.size(width, 844)
			b.visit(s.url + path)
			if path[1:] == "" || path[1] == '?' {
				b.waitLive()
				b.until("a drawn chart", drawn)
			}
			for _, wrong := range eval[[]string](b, phoneFaults) {
				t.Errorf("%s at %d px: %s", path, width, wrong)
			}
			if path == "/docs" {
				b.clean()
			}
		}
	}
}

// On a phone the state opens the lane's figures, and they close again.
func TestPhoneLaneSheet(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.size(390, 844)
	b.visit(s.url + "/")
	b.waitLive()
	b.click("#state")
	b.until("the sheet is open", `document.querySelector('#state').ariaExpanded === 'true' && document.querySelector('#n-lost').checkVisibility()`)
	for _, wrong := range eval[[]string](b, phoneFaults) {
		t.Error(wrong)
	}
	b.click("#lane-shut")
	b.until("it is closed", `document.querySelector('#state').ariaExpanded === 'false' && !document.querySelector('#n-lost').checkVisibility()`)
	b.clean()
}

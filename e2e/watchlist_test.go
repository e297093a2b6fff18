package e2e

import (
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// rows are the visible rows, in their order.
const rows = `[...document.querySelectorAll('.rows .rowg')].sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)`

// symbols returns the symbols of the visible rows.
func (b *tab) symbols() []string {
	b.t.Helper()
	return eval[[]string](b, rows+`.map((e) => e.dataset.symbol)`)
}

// TestSearch searches by symbol and name, with the keyboard.
func TestSearch(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openLive(t, s.url+"/")
	b.press("/")
	b.until("the search is focused", `document.activeElement.id === 'search'`)
	b.press("micro")
	b.until("names are searched", `document.querySelector('#grid').ariaRowCount < 51`)
	found := eval[[]string](b, rows+`.map((e) => e.textContent.toLowerCase())`)
	if len(found) < 2 {
		t.Errorf("%q have “micro” in their names, want Microsoft and another", found)
	}
	for _, text := range found {
		if !strings.Contains(text, "micro") {
			t.Errorf("%q was found by “micro”", text)
		}
	}
	b.press("zz")
	b.until("no matches", `!document.querySelector('#empty').hidden &&
		document.querySelector('#empty-text').textContent === 'No matches for “microzz”.'`)
	b.until("the address holds the search", `new URLSearchParams(location.search).get('q') === 'microzz'`)
	b.click("#empty-clear")
	b.until("all rows again", `document.querySelector('#empty').hidden && document.querySelector('#grid').ariaRowCount === '51' && !location.search.includes('q=')`)

	b.press("nv" + keys.enter)
	b.until("Enter selects the first match", `document.querySelector('#q-symbol').textContent === 'NVDA'`)
	b.click("#search")
	b.press(keys.escape)
	b.until("Escape clears", `document.querySelector('#search').value === '' && document.querySelector('#grid').ariaRowCount === '51'`)
	b.clean()
}

// TestSort sorts by column headers, and by the address.
func TestSort(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openLive(t, s.url+"/")
	feed := b.symbols()
	b.press("p") // prices must not change while they are compared
	b.state("paused", "^Paused")
	for _, step := range []struct {
		column, want string
		less         func(a, b float64) bool
	}{
		{"last", "descending", func(a, b float64) bool { return a > b }},
		{"last", "ascending", func(a, b float64) bool { return a < b }},
	} {
		b.click("[data-sort=" + step.column + "] button")
		b.until("aria-sort "+step.want, `document.querySelector('[data-sort=`+step.column+`]').ariaSort === '`+step.want+`' &&
			document.querySelectorAll('[aria-sort]').length === 1`)
		var prices []float64
		until(t, "rows "+step.want, func() (bool, string) {
			prices = eval[[]float64](b, rows+`.map((e) => Number(e.children[1].textContent.replace(/\s/g, '')))`)
			return sort.SliceIsSorted(prices, func(i, j int) bool { return step.less(prices[i], prices[j]) }), ""
		})
		if len(prices) < 10 {
			t.Errorf("only %d rows", len(prices))
		}
	}
	b.click("[data-sort=last] button")
	b.until("the third click undoes", `!document.querySelector('[aria-sort]')`)
	until(t, "the feed's own order", func() (bool, string) {
		have := b.symbols()
		return slices.Equal(have, feed), strings.Join(have, " ")
	})
	b.click("[data-sort=symbol] button")
	until(t, "by name", func() (bool, string) {
		have := b.symbols()
		return slices.IsSorted(have), strings.Join(have, " ")
	})
	b.visit(s.url + "/?sort=-change")
	b.waitLive()
	b.until("the address sorts", `document.querySelector('[data-sort=change]').ariaSort === 'descending'`)
	b.clean()
}

// TestSelectionInAddress: symbol, interval and lane are part of the address, and restored from it.
func TestSelectionInAddress(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openLive(t, s.url+"/")
	b.click("#row-MSFT")
	b.until("the chart is of MSFT", `document.querySelector('#q-symbol').textContent === 'MSFT' &&
		document.querySelector('#chart .host').ariaLabel === 'Candlestick chart of MSFT, 1m' && document.querySelector('#row-MSFT').ariaSelected === 'true' &&
		document.querySelectorAll('.rows [aria-selected=true]').length === 1`)
	for _, interval := range []string{"10s", "5m", "15m", "1d", "1h"} {
		b.click("[data-interval='" + interval + "']")
		b.until("bars of "+interval, `document.querySelector('#chart .host').ariaLabel === 'Candlestick chart of MSFT, `+interval+`' &&
			document.querySelector('#chart .note').hidden && document.querySelectorAll('[data-interval][aria-pressed=true]').length === 1`)
		b.until("a drawn chart", drawn)
	}
	b.click("button[data-lane=ws]")
	s.streams(0, 1)
	want := "?symbol=MSFT&interval=1h&lane=ws"
	b.until("the address holds it", `location.search === '`+want+`'`)
	b.reload()
	b.waitLive()
	b.until("the same state after a reload", `document.querySelector('#chart .host').ariaLabel === 'Candlestick chart of MSFT, 1h' && location.search === '`+want+`' &&
		document.querySelector('button[data-lane=ws]').ariaPressed === 'true'`)
	b.until("a drawn chart", drawn)
	s.streams(0, 1)
	b.clean()

	// Invalid values in an address are ignored.
	b.visit(s.url + "/?symbol=%3Cb%3E&interval=9y&lane=pigeon&sort=--&sector=none")
	b.waitLive()
	b.until("the first symbol, by the minute", `document.querySelector('#chart .host').ariaLabel === 'Candlestick chart of AAPL, 1m' && document.querySelector('#grid').ariaRowCount === '51'`)
	s.streams(1, 0)
	b.clean()
}

// TestPause: a paused list doesn't change and counts the ticks behind; resumed, it is right.
func TestPause(t *testing.T) {
	t.Parallel()
	s := serve(t, "--market.rate", "100")
	b := openTab(t)
	b.inject(recorder)
	b.visit(s.url + "/")
	b.waitLive()
	b.click("#pause")
	b.state("paused", "^Paused, ")
	still := eval[string](b, "document.querySelector('#rows').innerText")
	s.waitTicks(200)
	b.until("ticks behind", `Number(document.querySelector('#state-text').textContent.replace(/\D/g, '')) >= 200`)
	if have := eval[string](b, "document.querySelector('#rows').innerText"); have != still {
		t.Errorf("the list changed while paused:\n%s\n\n%s", still, have)
	}
	b.until("a button to resume", `document.querySelector('#pause').ariaPressed === 'true' && document.querySelector('#pause').ariaLabel === 'Pause' && document.querySelector('#pause').title.startsWith('Resume')`)
	b.click("#pause")
	b.state("live", "^Live$")
	s.stop()
	b.until("the page notices the end", `document.querySelector('#app').dataset.state !== 'live'`)
	b.until("every row shows its newest quote", `self.recorder.wrong().length === 0`)
	b.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0})
}

// TestKeyboard uses the dashboard's keys.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.colorScheme("dark")
	b.visit(s.url + "/")
	b.waitLive()
	b.press("l")
	s.streams(0, 1)
	b.press("l")
	s.streams(1, 0)
	b.press("p")
	b.state("paused", "^Paused")
	b.press(" ")
	b.state("live", "^Live$")
	b.press("?")
	b.until("the keys are shown", `document.querySelector('#keys').open`)
	b.press("p") // does nothing while they are
	b.press(keys.escape)
	b.until("the keys are closed", `!document.querySelector('#keys').open && document.querySelector('#app').dataset.state === 'live'`)

	b.press(",")
	b.until("the settings are shown", `document.querySelector('#settings').open`)
	b.click("#settings [name=shortcuts][value=off]")
	b.press(keys.escape)
	b.press("p?t")
	b.until("shortcuts are off, buttons and lists are not", `document.querySelector('#app').dataset.state === 'live' && !document.querySelector('dialog[open]') && document.documentElement.dataset.theme === 'system'`)
	b.click("#keys-open")
	b.until("the list of keys says so", `document.querySelector('.shortcuts-off').checkVisibility()`)
	b.press(keys.escape)
	b.click("#settings-open")
	b.click("#settings [name=shortcuts][value=on]")
	b.press(keys.escape)

	b.do(chromedp.Focus(chromedp.CSS("#grid")))
	list := b.symbols()
	b.press(keys.down + keys.down + keys.down + keys.up)
	b.until("the arrows move the cursor", `document.querySelector('#grid').getAttribute('aria-activedescendant') === 'row-`+list[2]+`'`)
	b.press(keys.enter)
	b.until("Enter selects", `document.querySelector('#q-symbol').textContent === '`+list[2]+`'`)

	b.until("the list has the focus, and more rows than fit", `(() => { const g = document.querySelector('#grid'); return document.activeElement === g && g.scrollHeight > g.clientHeight + 100; })()`)
	b.press(" ")
	until(t, "Space scrolls the list that has the focus, and does not pause", func() (bool, string) {
		have := eval[string](b, `(() => { const g = document.querySelector('#grid'); return [g.scrollTop > 100, document.querySelector('#app').dataset.state, g.scrollTop, g.scrollHeight, g.clientHeight, document.activeElement.id].join(' '); })()`)
		return strings.HasPrefix(have, "true live "), have
	})

	b.press("t")
	b.until("light", `document.documentElement.dataset.theme === 'light'`)
	light := eval[string](b, "getComputedStyle(document.body).backgroundColor")
	b.reload()
	b.waitLive()
	if have := eval[string](b, "document.documentElement.dataset.theme + ' ' + getComputedStyle(document.body).backgroundColor"); have != "light "+light {
		t.Errorf("after a reload the theme is %q, want the chosen one: %q", have, "light "+light)
	}
	b.press("t")
	b.until("dark", `document.documentElement.dataset.theme === 'dark' && getComputedStyle(document.body).backgroundColor !== '`+light+`'`)
	b.clean()
}

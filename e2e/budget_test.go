package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Budgets of the dashboard's first paint.
const (
	transferBudget = 150_000 // bytes over the wire, headers too, until the first quotes are painted
	shiftBudget    = 0.02    // cumulative layout shift
	blockingBudget = 4_000   // bytes of the one script that may block the first paint
)

// layoutObserver collects layout shifts and long tasks from the start of the page.
const layoutObserver = `self.shifts = []; self.moved = []; self.long = [];
	new PerformanceObserver((l) => l.getEntries().forEach((e) => { if (e.hadRecentInput) return; self.shifts.push(e.value); self.moved.push(...e.sources.map((s) => e.value.toFixed(4) + ' ' + (s.node?.parentElement?.id ?? '') + ' ' + (s.node?.id || s.node?.className || s.node?.nodeName) + ' ' + [s.previousRect, s.currentRect].map((r) => [r.x, r.y, r.width, r.height].map(Math.round)).join(' → '))); })).observe({ type: 'layout-shift', buffered: true });
	new PerformanceObserver((l) => l.getEntries().forEach((e) => self.long.push(Math.round(e.duration)))).observe({ type: 'longtask', buffered: true });`

// slowFetch delays the page's requests by up to half a second, as a slow network does.
const slowFetch = `const real = fetch; fetch = (url, ...rest) => new Promise((done) => setTimeout(done, 200 + 300 * Math.random())).then(() => real(url, ...rest));`

// loadedResources lists what the browser fetched before it painted the first quotes, by its own figures. It leaves out
// streams and bars, whose size until that moment varies, and lists repeated requests once.
const loadedResources = `(() => {
	const until = performance.getEntriesByName('first-quote')[0].startTime;
	const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
	return all.filter((e, k) => e.startTime <= until && !/subscribe|\/connections\/|\/api\/history/.test(e.name) && all.findIndex((x) => x.name === e.name) === k)
		.map((e) => ({ Name: new URL(e.name).pathname, Type: e.initiatorType, Wire: e.transferSize, Size: e.decodedBodySize, Blocking: e.renderBlockingStatus === 'blocking' }));
})()`

type resource struct {
	Name, Type string
	Wire, Size float64
	Blocking   bool
}

// TestFirstPaintBudget bounds bytes, blocking scripts and layout shift until the first quotes are painted.
func TestFirstPaintBudget(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, width := range []int64{1440, 390} {
		t.Run(fmt.Sprint(width, " px"), func(t *testing.T) {
			t.Parallel()
			b := openTab(t)
			b.size(width, 900)
			b.inject(layoutObserver)
			b.inject(slowFetch)
			b.visit(s.url + "/")
			b.waitLive()
			b.until("a drawn chart", drawn)
			b.until("figures of the lane", `/\d/.test(document.querySelector('#wire').textContent)`)
			sum, blocking := 0.0, 0
			for _, r := range eval[[]resource](b, loadedResources) {
				sum += r.Wire
				if r.Blocking && strings.HasSuffix(r.Name, ".js") {
					if blocking++; r.Name != "/static/theme.js" || r.Size > blockingBudget {
						t.Errorf("%s of %.0f bytes blocks the first paint", r.Name, r.Size)
					}
				}
				t.Logf("%6.0f of %6.0f bytes %s", r.Wire, r.Size, r.Name)
			}
			if sum < 10_000 || sum > transferBudget {
				t.Errorf("%.0f bytes until the first quotes, want at most %d", sum, transferBudget)
			}
			if blocking != 1 {
				t.Errorf("%d scripts block the first paint, want theme.js alone", blocking)
			}
			shift := eval[float64](b, "self.shifts.reduce((a, x) => a + x, 0)")
			t.Logf("%.0f bytes, layout shift %.4f: %q, long tasks %v ms", sum, shift, eval[[]string](b, "self.moved"), eval[[]int](b, "self.long"))
			if shift >= shiftBudget {
				t.Errorf("layout shift %.4f, want less than %v", shift, shiftBudget)
			}
		})
	}
}

// TestSecondVisit: on the second visit the browser fetches only the page and the files without a hash in their names.
func TestSecondVisit(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.call(chromedp.Call(b.ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{}))
	b.visit(s.url + "/")
	b.waitLoaded()
	b.waitHeatmap() // the last part that is loaded
	b.visit(s.url + "/healthz")
	b.visit(s.url + "/")
	b.waitLive()
	cached := 0
	for _, r := range eval[[]resource](b, loadedResources) {
		switch {
		case strings.HasPrefix(r.Name, "/assets/"):
			if cached++; r.Wire != 0 {
				t.Errorf("%s: %.0f bytes fetched again", r.Name, r.Wire)
			}
		case strings.HasPrefix(r.Name, "/static/") && r.Wire > 600: // headers alone: 304
			t.Errorf("%s: %.0f bytes fetched again", r.Name, r.Wire)
		}
	}
	if cached < 2 {
		t.Errorf("%d files of the bundle, want at least 2", cached)
	}
}

// TestWithoutScripts: without scripts the page shows the newest quotes, reloads itself, and sorts and filters by links.
func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.enableScripts(false)
	b.visit(s.url + "/")
	b.until("a row for each symbol", `document.querySelectorAll('.noscript-list tbody tr').length === 50`)
	b.until("no part that needs scripts", `!document.querySelector('.main').checkVisibility() && !document.querySelector('#pause').checkVisibility()`)
	if len(b.requestsTo("/sse/")) > 0 {
		t.Error("a page without scripts opened a stream")
	}
	first := 0.0
	until(t, "reloaded", func() (bool, string) {
		at, err := chromedp.Run(b.ctx, chromedp.Evaluate[float64]("performance.timeOrigin"))
		if err != nil {
			return false, err.Error() // the page is being replaced
		}
		if first == 0 {
			first = at
		}
		return at > first, ""
	})
	b.visit(s.url + "/?refresh=off") // what is clicked must not move
	b.click(`.noscript-list-sectors a[href*="sector=energy"]`)
	b.until("one sector", `new URLSearchParams(location.search).get('sector') === 'energy' && document.querySelectorAll('.noscript-list tbody tr').length < 20`)
	b.click(`.noscript-list thead a[href*="sort=-volume"]`)
	b.until("sorted", `document.querySelector('.noscript-list [aria-sort=descending]')?.textContent.startsWith('Volume') && document.querySelectorAll('.noscript-list tbody tr').length < 20`)
	b.size(390, 844)
	b.visit(s.url + "/?refresh=off")
	b.checkPhone()
	b.clean()
}

// tabStops presses Tab from the top of the page to its end and returns the name of each element that gets the focus.
func (b *tab) tabStops() []string {
	b.t.Helper()
	stops := []string{}
	for range 80 {
		b.press("\t")
		name := eval[string](b, `(() => { const e = document.activeElement; return e === document.body ? '' : e.id || e.dataset.lane || e.dataset.interval || e.dataset.tape || e.closest('[data-sort]')?.dataset.sort || e.className || e.textContent.trim(); })()`)
		if name == "" || len(stops) > 0 && stops[0] == name {
			return stops
		}
		stops = append(stops, name)
		if eval[bool](b, `(() => { const e = document.activeElement; const s = getComputedStyle(e); const r = e.getBoundingClientRect();
			if (e.matches('.pane .host')) return getComputedStyle(e.closest('.pane'), '::after').borderTopWidth === '0px'; // drawn by the pane
			return s.outlineStyle === 'none' || s.outlineWidth === '0px' || !r.width; })()`) {
			b.t.Errorf("no visible focus on %s", name)
		}
	}
	b.t.Fatalf("more than 80 stops of the Tab key: %q", stops)
	return nil
}

// TestKeyboardAlone: the Tab key reaches everything that can be clicked, in reading order, and Enter or Space activates it.
func TestKeyboardAlone(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.visit(s.url + "/")
	b.waitLoaded()
	b.waitHeatmap() // everything focusable is there
	stops := b.tabStops()
	at := -1
	for _, want := range []string{"skip", "state", "sse", "ws", "pause", "search", "grid", "last", "1m", "tab-heat", "heat", "log", "keys-open"} {
		found := -1
		for i, name := range stops {
			if name == want {
				found = i
			}
		}
		if found <= at {
			t.Errorf("%s is stop %d of the Tab key, want it after %d: %q", want, found, at, stops)
		}
		at = found
	}
	// A row's star has the grid's key s (TestLists), neighbouring tabs the arrows (TestPanels).
	for _, missed := range eval[[]string](b, `[...document.querySelectorAll('button:not([role=tab]), a[href], input, select, [role=grid]')].filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.matches('.rows .star') && (e.tabIndex < 0 || e.disabled)).map((e) => e.outerHTML.slice(0, 80))`) {
		t.Errorf("not reached by the keyboard: %s", missed)
	}
	for _, act := range []struct{ at, key, what, done string }{
		{"[data-lane=ws]", keys.enter, "the lane is switched", `document.querySelector('#app').dataset.lane === 'ws'`},
		{"#pause", " ", "it is paused", `document.querySelector('#app').dataset.state === 'paused'`},
		{"#pause", keys.enter, "it goes on", `document.querySelector('#app').dataset.state === 'live'`},
		{"[data-sort=last] button", keys.enter, "it is sorted", `document.querySelector('[data-sort=last]').ariaSort === 'descending'`},
		{"#grid", keys.down + keys.enter, "another symbol is shown", `document.querySelector('#q-symbol').textContent !== 'AAPL'`},
		{"[data-interval='5m']", " ", "the interval is another", `location.search.includes('interval=5m')`},
		{"#tab-heat", keys.right + keys.right, "trades are shown", `document.querySelector('#trades').checkVisibility()`},
		{"#trades-symbol", keys.enter, "the symbol's trades", `document.querySelector('#trades-symbol').ariaPressed === 'true'`},
		{"#keys-open", keys.enter, "the keys are shown", `document.querySelector('#keys').open`},
		{"#keys button", keys.enter, "they are shut", `!document.querySelector('#keys').open`},
	} {
		b.run("document.querySelector(" + `"` + act.at + `"` + ").focus()")
		b.press(act.key)
		b.until(act.what, act.done)
	}
	b.clean()
}

package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// media emulates a medium, "print" or "" for the screen, and whether the system forces its colours.
func (b *tab) media(medium string, forced bool) {
	b.t.Helper()
	value := map[bool]string{true: "active", false: "none"}[forced]
	b.call(chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: medium, Features: []*emulation.MediaFeature{{Name: "forced-colors", Value: value}},
	}))
}

// alike lists pairs of elements that differ by colour alone, or not at all. Backgrounds count only where they are kept.
const alike = `(pairs) => pairs.flatMap(([a, b, pseudo]) => {
	const look = (s) => {
		const e = document.querySelector(s);
		if (!e) return 'nothing is ' + s;
		const c = getComputedStyle(e, pseudo);
		return [c.outlineStyle, c.borderTopStyle, c.borderTopWidth, c.borderRadius, c.textDecorationLine + c.textDecorationStyle, c.forcedColorAdjust === 'none' ? c.backgroundColor + c.backgroundImage : ''].join(' ');
	};
	const [x, y] = [look(a), look(b)];
	return x === y || x.startsWith('nothing') || y.startsWith('nothing') ? [a + ' and ' + b + ': ' + x + ', ' + y] : [];
})`

// TestForcedColours: with a high-contrast theme, states that have a colour or a background differ in another way too, and
// axe-core finds nothing.
func TestForcedColours(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.media("", true)
	b.visit(s.url + "/?sector=technology&panel=movers")
	b.waitLive()
	b.until("breadth", `document.querySelector('#breadth-down').clientWidth > 0`)
	check := func(pairs string) {
		t.Helper()
		for _, fault := range eval[[]string](b, "("+alike+")("+pairs+")") {
			t.Errorf("alike: %s", fault)
		}
	}
	check(`[['.nav [aria-current]', '.nav a:not([aria-current])'], ['.seg [aria-pressed=true]', '.seg [aria-pressed=false]'],
		['.chip[aria-pressed=true]', '.chip[aria-pressed=false]'], ['[role=tab][aria-selected=true]', '[role=tab][aria-selected=false]'],
		['#breadth-up', '#breadth-down'], ['#breadth-up', '#breadth-same'], ['.rows [aria-selected=true]', '.rows [aria-selected=false]']]`)
	b.until("rises and falls have signs", `['up', 'down'].every((k, n) => [...document.querySelectorAll('.movers .' + k)].every((e) => e.textContent.includes('▲▼'[n]) || e.textContent.includes('+−'[n])))`)
	b.audit()
	live := eval[string](b, `(() => { const c = getComputedStyle(document.querySelector('.dot')); return c.backgroundColor === getComputedStyle(document.body).backgroundColor ? '' : c.borderTopStyle; })()`)
	if live != "none" {
		t.Errorf("the dot of a live stream has the border %q, want a disc in another colour than the page", live)
	}
	b.press("p")
	b.until("paused is a ring", `getComputedStyle(document.querySelector('.dot')).borderTopStyle === 'solid'`)
	b.press("pl")
	b.until("WebSocket is dashed in the panel, and double in the bar", `getComputedStyle(document.querySelector('.lane-now'), '::before').borderTopStyle === 'dashed' &&
		getComputedStyle(document.querySelector('.seg [data-lane=ws]')).textDecorationStyle === 'double'`)

	b.visit(s.url + "/compare")
	b.until("the sides' names", `document.querySelectorAll('#latency-key .key').length === 2 && document.querySelector('#running').textContent.includes('pairs')`)
	check(`[['.key.side-a', '.key.side-b'], ['.nav [aria-current]', '.nav a:not([aria-current])'], ['#c-sides [aria-pressed=true]', '#c-sides [aria-pressed=false]']]`)
	b.audit()
}

// TestPrintedPlots prints the dark comparison: no plot is cut or empty, and its colours are those of paper. Scripts don't run
// between the layout on paper and printing, so a listener of the medium looks at it.
func TestPrintedPlots(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.colorScheme("dark")
	b.visit(s.url + "/compare")
	b.until("plots", `document.querySelectorAll('.canvas canvas').length === 5 && /[1-9]\d* pairs/.test(document.querySelector('#running').textContent)`)
	b.run(`matchMedia('print').addEventListener('change', (e) => {
		if (!e.matches) return;
		self.printed = [...document.querySelectorAll('.canvas')].flatMap((host) => {
			const canvas = host.querySelector('canvas');
			const [inside, outside] = [canvas.getBoundingClientRect(), host.getBoundingClientRect()];
			const wrong = [];
			if (inside.height < 80 || inside.bottom > outside.bottom || inside.right > outside.right) wrong.push('cut: ' + JSON.stringify([inside, outside]));
			if (!/invert/.test(getComputedStyle(canvas).filter)) wrong.push('dark');
			return wrong.map((w) => host.id + ' is ' + w);
		});
	})`)
	b.call(chromedp.Call(b.ctx, page.PrintToPDF, page.PrintToPDFParams{}))
	b.until("the layout on paper was seen", `Array.isArray(self.printed)`)
	for _, fault := range eval[[]string](b, `self.printed`) {
		t.Error(fault)
	}
	if eval[bool](b, `document.documentElement.matches('[data-inverted]')`) {
		t.Error("the plots are inverted after printing")
	}
}

// TestPrint prints pages: all rows instead of those in sight, nothing that scrolls, no controls, and a white background.
func TestPrint(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	for _, path := range []string{"/", "/compare", "/reports", "/docs"} {
		b.visit(s.url + path)
		if path == "/" {
			b.waitLive()
			b.run(`dispatchEvent(new Event('beforeprint'))`)
		}
		b.media("print", false)
		b.until("printed", `matchMedia('print').matches`)
		for _, fault := range eval[[]string](b, `[
			...[...document.querySelectorAll('.nav, .bar button:not(.state), .tools, .chart-tools, .ctl, .btns, dialog')].filter((e) => e.checkVisibility()).map((e) => 'a control: ' + e.outerHTML.slice(0, 80)),
			...[...document.querySelectorAll('main *')].filter((e) => e.checkVisibility() && e.scrollHeight > e.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(e).overflowY)).map((e) => 'it scrolls: ' + e.outerHTML.slice(0, 80)),
			getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)' ? [] : 'background ' + getComputedStyle(document.body).backgroundColor,
		].flat()`) {
			t.Errorf("%s: %s", path, fault)
		}
		if path == "/" {
			if n := eval[int](b, `[...document.querySelectorAll('.rows .rowg')].filter((e) => e.checkVisibility()).length`); n != 50 {
				t.Errorf("%d rows on paper, want all 50", n)
			}
			if h := eval[int](b, `document.querySelector('.chart .plot').clientHeight`); h < 200 {
				t.Errorf("the chart is %d px high on paper", h)
			}
		}
		b.media("", false)
	}
}

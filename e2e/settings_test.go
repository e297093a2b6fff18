package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// acceptLanguage sets the languages of the browser, the preferred one first. The browser adds the weights of the header.
func (b *tab) acceptLanguage(languages string) {
	b.t.Helper()
	b.call(chromedp.Call(b.ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent: eval[string](b, "navigator.userAgent"), AcceptLanguage: languages,
	}))
}

// setSetting opens the settings by key, chooses a value with the mouse and closes them by key.
func (b *tab) setSetting(name, value string) {
	b.t.Helper()
	b.press(",")
	b.until("the settings are open", `document.querySelector('#settings').open`)
	b.click(fmt.Sprintf("#settings [name=%s][value=%s]", name, value))
	b.press(keys.escape)
	b.until("the settings are closed", `!document.querySelector('#settings').open && document.activeElement.id === 'settings-open'`)
}

// style returns the computed value of a property.
func (b *tab) style(selector, property string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf("getComputedStyle(document.querySelector(%q)).getPropertyValue(%q)", selector, property))
}

// englishOnDashboard lists the dashboard's texts and labels in Latin letters, except names of companies, symbols, protocols,
// makers and units.
const englishOnDashboard = `(() => {
	const names = /\b(?:Ticklane|SSE|WebSocket|Server-Sent Events|TradingView|Lightweight Charts|English|UTC|Esc|Enter|Space|p50|p99|K(?=线)|JSON|gzip|permessage-deflate|protobuf|API|CSV|[ES]?MA(?= \d)|a(?= 键)|WS|B|kB|MB|ms|s|10s|1m|5m|15m|1h|1d)\b/g;
	const found = [];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
	for (let n = walk.nextNode(); n; n = walk.nextNode()) {
		if (n instanceof Element) {
			for (const a of ['aria-label', 'title', 'placeholder']) if (n.hasAttribute(a)) found.push(n.getAttribute(a));
			continue;
		}
		const p = n.parentElement;
		if (!p.closest('script,noscript,style,.nm,#q-name,#q-symbol,.sy b,#trades b,#trades-symbol,.movers b,kbd,#position,.foot > .hide:not(#clock)')) found.push(n.data);
	}
	return found.map((s) => s.replace(/\bAAPL\b/g, '').replace(names, '')).filter((s) => /[A-Za-z]{2,}|\b[A-Za-z]\b(?!\))/.test(s));
})()`

// TestChinese reads the dashboard with a browser whose first language is Chinese, then changes the language.
func TestChinese(t *testing.T) {
	t.Parallel()
	s := serve(t, belowPath)
	b := openTab(t)
	b.acceptLanguage("zh-CN,zh,en")
	b.visit(s.url + "/?panel=trades")
	b.waitLive()
	b.until("trades", `document.querySelectorAll('#trades .trade').length > 3`)
	b.press("l")
	b.logged("已切换 SSE → WebSocket")
	b.press("p")
	b.state("paused", "^已暂停，落后 ")
	b.press("p")
	b.state("live", "^实时$")
	b.press(",")
	b.until("the settings are shown", `document.querySelector('#settings').open`)
	if have := eval[[]string](b, englishOnDashboard); len(have) > 0 {
		t.Errorf("English on the Chinese dashboard: %q", have)
	}
	if have := eval[string](b, "document.documentElement.lang"); have != "zh-CN" {
		t.Errorf("lang is %q", have)
	}
	if have := b.text(".foot .sim"); have != "模拟行情" {
		t.Errorf("market label %q", have)
	}
	// By Chinese custom red is up, unless the user chooses another.
	up, red := b.style("#settings .swatch.red", "color"), eval[string](b, "document.documentElement.dataset.colours")
	b.run(`const e = document.createElement('i'); e.className = 'up'; e.id = 'probe'; document.body.append(e)`)
	if have := b.style("#probe", "color"); have != up || red != "red" {
		t.Errorf("a rise is %s (%s), want %s", have, red, up)
	}
	b.click("#settings [name=colours][value=green]")
	b.until("green is up", `getComputedStyle(document.querySelector('#probe')).color === getComputedStyle(document.querySelector('#settings .swatch.green')).color`)

	// The choice is kept: the next page is English despite the browser's languages.
	b.click("#settings [name=lang][value=en]")
	b.until("English, settings still open", `document.documentElement.lang === 'en' && document.querySelector('#settings').open`)
	if keys := eval[[]string](b, "Object.keys(localStorage)"); len(keys) != 1 || keys[0] != "/desk/quotes:ticklane.settings" {
		t.Errorf("stored under %q: servers below other paths share that", keys)
	}
	b.press(keys.escape)
	b.waitLive()
	b.state("live", "^Live$")
	for _, path := range []string{"/reports", "/compare", "/nothing", "/sse/home", "/"} {
		b.visit(s.url + path)
		b.until("English", `document.documentElement.lang === 'en'`)
	}
	b.visit(s.url + "/?lang=zh-CN&symbol=MSFT")
	b.waitLive()
	b.state("live", "^实时$")
	b.until("the language stays in the address", `location.search.includes('lang=zh-CN') && location.search.includes('symbol=MSFT')`)
	b.visit(s.url + "/")
	b.until("English again", `document.documentElement.lang === 'en'`)
}

// TestCompareInChinese finds English on the comparison, at first and once it has results.
func TestCompareInChinese(t *testing.T) {
	t.Parallel()
	s := serve(t, belowPath, "--lab.enabled=true", "--market.rate", "50")
	b := openTab(t)
	b.visit(s.url + "/compare?lang=zh-CN")
	b.until("both sides run and pairs arrive", `/^测量中 .* · [1-9][\d\s]* 对$/.test(document.querySelector('#running').textContent)`)
	b.until("claims are evaluated", `[...document.querySelectorAll('#claims .tag')].some((e) => e.textContent === '成立')`)
	for selector, want := range map[string]string{"#freeze": "冻结", "#t-drills": "演练", `[data-drill="cut"]`: "断线", "#t-diff": "同一笔：SSE 减 WebSocket", "h1": "对比 SSE 与 WebSocket"} {
		if have := b.text(selector); have != want {
			t.Errorf("%s is %q, want %q", selector, have, want)
		}
	}
	// Two English words in a row are a sentence; names and parts of an address are single words.
	if have := eval[[]string](b, `[...document.querySelectorAll('main *, .bar *')].flatMap((e) => [...['aria-label', 'title', 'placeholder'].map((a) => e.getAttribute(a) ?? ''),
		...(e.closest('code,[lang=en]') ? [] : [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data))])
		.filter((s) => /\b[a-z]{2,} [a-z]{2,}\b/.test(s))`); len(have) > 0 {
		t.Errorf("English on the Chinese comparison: %q", have)
	}
	b.clean()
}

// TestEachSetting changes each setting: the page applies it at once, keeps it, and applies it before its next first paint.
func TestEachSetting(t *testing.T) {
	t.Parallel()
	s := serve(t, "--market.symbols", "1000", "--market.rate", "60") // with prices above a thousand dollars, and below
	b := openTab(t)
	b.colorScheme("dark")
	b.visit(s.url + "/?panel=trades")
	b.waitLive()
	b.until("a drawn chart", drawn)
	dark := b.style("body", "background-color")
	row := func() float64 {
		return eval[float64](b, "document.querySelector('.rows .rowg').getBoundingClientRect().height")
	}

	b.setSetting("theme", "light")
	b.until("light", `getComputedStyle(document.body).backgroundColor !== '`+dark+`'`)
	b.setSetting("theme", "system")
	b.until("as the system", `getComputedStyle(document.body).backgroundColor === '`+dark+`'`)

	b.setSetting("colours", "blue")
	if have := eval[string](b, "document.documentElement.dataset.colours"); have != "blue" {
		t.Errorf("colours %q", have)
	}

	for _, d := range []struct {
		density string
		height  float64
	}{{"compact", 22}, {"wall", 38}, {"comfortable", 28}} { // the last one leaves room for the columns below
		density, want := d.density, d.height
		b.setSetting("density", density)
		b.until("rows of another height", fmt.Sprintf("document.querySelector('.rows .rowg').getBoundingClientRect().height === %v", want))
		if have := row(); have != want {
			t.Errorf("%s: rows of %v px", density, have)
		}
		b.until("rows are one below the other", fmt.Sprintf(`(() => {
			const y = [...document.querySelectorAll('.rows .rowg')].map((e) => e.getBoundingClientRect().top);
			return y.length > 5 && y.every((v, k) => k === 0 || Math.abs(v - y[k - 1] - %v) < 0.1);
		})()`, want))
	}

	for _, n := range []struct{ name, pattern string }{
		{"comma", `^\\d{1,3}(,\\d{3})*\\.\\d\\d$`}, {"point", `^\\d{1,3}(\\.\\d{3})*,\\d\\d$`}, {"space", `^\\d{1,3}(\\u202f\\d{3})*\\.\\d\\d$`}, // the last one is that of the volumes below
	} {
		pattern := n.pattern
		b.setSetting("numbers", n.name)
		b.until(n.name, `[...document.querySelectorAll('.rows .last')].filter((e) => e.textContent).every((e) => new RegExp('`+pattern+`').test(e.textContent))`)
		b.until("in the chart's header", `new RegExp('`+pattern+`').test(document.querySelector('#q-last').textContent)`)
	}

	b.setSetting("volume", "full")
	b.until("volumes in full", `[...document.querySelectorAll('.rows .rowg')].slice(0, 5).every((e) => /^[\d\u202f]+$/.test(e.children[6].textContent)) && [...document.querySelectorAll(".rows .rowg")].some((e) => /\u202f/.test(e.children[6].textContent))`)
	if eval[bool](b, `[...document.querySelectorAll('.rows .rowg')].some((e) => e.children[6].scrollWidth > e.children[6].clientWidth)`) {
		t.Error("a volume in full is wider than its column")
	}

	for tz, zone := range map[string]string{"utc": "UTC", "ny": "America/New_York"} {
		b.setSetting("tz", tz)
		b.until("trades of "+zone, `(() => {
			const shown = document.querySelector('#trades .trade span')?.textContent;
			const near = [-3, -2, -1, 0].map((s) => new Intl.DateTimeFormat('en-GB', { timeZone: '`+zone+`', timeStyle: 'medium' }).format(Date.now() + s * 1000));
			return near.includes(shown);
		})()`)
	}

	b.setSetting("motion", "none")
	b.until("nothing flashes", `(() => {
		const e = document.querySelector('.rows .fu, .rows .fd');
		return e && getComputedStyle(e).backgroundColor === 'rgba(0, 0, 0, 0)';
	})()`)

	// All of it is kept and applied before the first paint.
	b.inject(`addEventListener('DOMContentLoaded', () => { self.first = { ...document.documentElement.dataset }; }, { once: true })`)
	b.reload()
	b.waitLive()
	want := `{"theme":"system","colours":"blue","density":"` + eval[string](b, "document.documentElement.dataset.density") + `"`
	if have := eval[string](b, `JSON.stringify({ theme: first.theme, colours: first.colours, density: first.density }).slice(0, -1)`); have != want {
		t.Errorf("at the first paint %s, want %s", have, want)
	}
	if have := eval[string](b, `first.volume + ' ' + first.motion`); have != "full none" {
		t.Errorf("volume and motion at the first paint %q, want full none", have)
	}

	// Settings in a link apply to its page alone.
	b.visit(s.url + "/?density=compact&colours=green")
	b.waitLive()
	b.until("compact, green", `document.documentElement.dataset.density === 'compact' && document.documentElement.dataset.colours === 'green'`)
	b.visit(s.url + "/")
	b.waitLive()
	if have := eval[string](b, "document.documentElement.dataset.colours"); have != "blue" {
		t.Errorf("a link changed the kept colours to %q", have)
	}

	b.click("#settings-open")
	b.click("#settings-reset")
	b.until("the defaults", `document.documentElement.dataset.colours === 'green' && document.querySelector('#settings [name=volume][value=short]').checked`)
	b.clean()
}

// TestSettingsByKeyboard opens, changes and closes the settings with the keyboard alone, in each language, and audits them.
func TestSettingsByKeyboard(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, lang := range []string{"en", "zh-CN"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			b := openTab(t)
			b.visit(s.url + "/?lang=" + lang)
			b.waitLive()
			b.run(`document.querySelector('#settings-open').focus()`)
			b.press(keys.enter)
			b.until("open, with the language focused", `document.activeElement.name === 'lang' && document.activeElement.checked`)
			b.press("p") // the dashboard's keys do nothing while they are open
			b.auditBothThemes()
			b.run(`document.querySelector('#settings [name=density]:checked').focus()`)
			b.press(keys.right)
			b.until("an arrow chooses", `document.documentElement.dataset.density === 'compact'`)
			b.press(keys.escape)
			b.until("closed, with the button focused", `!document.querySelector('#settings').open && document.activeElement.id === 'settings-open'`)
			if have := eval[string](b, "document.querySelector('#app').dataset.state"); have != "live" {
				t.Errorf("state of the page %q, want live", have)
			}
			b.clean()
		})
	}
}

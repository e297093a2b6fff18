package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// speaks sets the languages that the browser asks for, as its user would.
func (b *tab) acceptLanguage(languages string) {
	b.t.Helper()
	b.call(chromedp.Call(b.ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent: eval[string](b, "navigator.userAgent"), AcceptLanguage: languages,
	}))
}

// choose opens the settings, makes a choice by the keyboard's or mouse's own way and closes them.
func (b *tab) setSetting(name, value string) {
	b.t.Helper()
	b.press(",")
	b.until("the settings are shown", `document.querySelector('#settings').open`)
	b.click(fmt.Sprintf("#settings [name=%s][value=%s]", name, value))
	b.press(keys.escape)
	b.until("and put away, the page's keys back in force", `!document.querySelector('#settings').open && document.activeElement.id === 'settings-open'`)
}

// style returns a computed style.
func (b *tab) style(selector, property string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf("getComputedStyle(document.querySelector(%q)).getPropertyValue(%q)", selector, property))
}

// latin is every word in Latin letters that a page shows or says, but names: those of companies and symbols, of
// protocols and makers, of units.
const englishOnDashboard = `(() => {
	const names = /\b(?:Ticklane|SSE|WebSocket|Server-Sent Events|TradingView|Lightweight Charts|English|UTC|Esc|Enter|Space|p50|p99|K(?=线)|JSON|gzip|permessage-deflate|protobuf|API|CSV|E?MA(?= \d)|WS|B|kB|MB|ms|s|10s|1m|5m|15m|1h)\b/g;
	const found = [];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
	for (let n = walk.nextNode(); n; n = walk.nextNode()) {
		if (n instanceof Element) {
			for (const a of ['aria-label', 'title', 'placeholder']) if (n.hasAttribute(a)) found.push(n.getAttribute(a));
			continue;
		}
		const p = n.parentElement;
		if (!p.closest('script,noscript,style,.nm,#q-name,#q-symbol,.sy b,#tape b,#tape-symbol,.movers b,kbd,#position,.foot > .hide:not(#clock)')) found.push(n.data);
	}
	return found.map((s) => s.replace(/\bAAPL\b/g, '').replace(names, '')).filter((s) => /[A-Za-z]{2,}|\b[A-Za-z]\b(?!\))/.test(s));
})()`

func TestChinese(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.acceptLanguage("zh-CN,zh;q=0.9,en;q=0.8")
	b.visit(s.url + "/?panel=trades")
	b.waitLive()
	b.until("trades", `document.querySelectorAll('#tape .trade').length > 3`)
	b.press("l")
	b.logged("已切换 SSE → WebSocket")
	b.press("p")
	b.state("paused", "^已暂停，落后 ")
	b.press("p")
	b.state("live", "^实时$")
	b.press(",")
	b.until("the settings are shown", `document.querySelector('#settings').open`)
	if have := eval[[]string](b, englishOnDashboard); len(have) > 0 {
		t.Errorf("a page in Chinese says %q", have)
	}
	if have := eval[string](b, "document.documentElement.lang"); have != "zh-CN" {
		t.Errorf("lang is %q", have)
	}
	if have := b.text(".foot .sim"); have != "模拟行情" {
		t.Errorf("the market is %q", have)
	}
	// Red is up there, unless the person says otherwise.
	up, red := b.style("#settings .swatch.red", "color"), eval[string](b, "document.documentElement.dataset.colours")
	b.run(`const e = document.createElement('i'); e.className = 'up'; e.id = 'probe'; document.body.append(e)`)
	if have := b.style("#probe", "color"); have != up || red != "red" {
		t.Errorf("a rise is %s (%s), want %s", have, red, up)
	}
	b.click("#settings [name=colours][value=green]")
	b.until("green is up", `getComputedStyle(document.querySelector('#probe')).color === getComputedStyle(document.querySelector('#settings .swatch.green')).color`)

	// The switch is kept: the next page is English, whatever the browser asks for.
	b.click("#settings [name=lang][value=en]")
	b.until("English, with the settings still open", `document.documentElement.lang === 'en' && document.querySelector('#settings').open`)
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
	b.until("the address keeps its language while the view writes it", `location.search.includes('lang=zh-CN') && location.search.includes('symbol=MSFT')`)
	b.visit(s.url + "/")
	b.until("English again", `document.documentElement.lang === 'en'`)
}

// TestCompareInChinese holds the comparison to one language: what it shows at once, and what it comes to say.
func TestCompareInChinese(t *testing.T) {
	t.Parallel()
	s := serve(t, "--lab.enabled=true", "--market.rate", "200")
	b := openTab(t)
	b.visit(s.url + "/compare?lang=zh-CN")
	b.until("both sides run and pairs come", `/^测量中 .* · [1-9][\d\s]* 对$/.test(document.querySelector('#running').textContent)`)
	b.until("claims are judged", `[...document.querySelectorAll('#claims .tag')].some((e) => e.textContent === '成立')`)
	for selector, want := range map[string]string{"#freeze": "冻结", "#t-drills": "演练", `[data-drill="cut"]`: "断线", "#t-diff": "同一笔：SSE 减 WebSocket", "h1": "对比 SSE 与 WebSocket"} {
		if have := b.text(selector); have != want {
			t.Errorf("%s is %q, want %q", selector, have, want)
		}
	}
	// English words in a row are a sentence; names and what an address holds stand alone.
	if have := eval[[]string](b, `[...document.querySelectorAll('main *, .bar *')].flatMap((e) => [...['aria-label', 'title', 'placeholder'].map((a) => e.getAttribute(a) ?? ''),
		...(e.closest('code,[lang=en]') ? [] : [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data))])
		.filter((s) => /\b[a-z]{2,} [a-z]{2,}\b/.test(s))`); len(have) > 0 {
		t.Errorf("a comparison in Chinese says %q", have)
	}
	b.clean()
}

func TestEachSetting(t *testing.T) {
	t.Parallel()
	s := serve(t, "--market.symbols", "1000") // some of a thousand and more dollars, and cheap ones
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
		b.until("rows stand one below the other", fmt.Sprintf(`(() => {
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
		b.until("in the chart's head, too", `new RegExp('`+pattern+`').test(document.querySelector('#q-last').textContent)`)
	}

	b.setSetting("volume", "full")
	b.until("volumes in full", `[...document.querySelectorAll('.rows .rowg')].slice(0, 5).every((e) => /^[\d\u202f]+$/.test(e.children[6].textContent)) && [...document.querySelectorAll(".rows .rowg")].some((e) => /\u202f/.test(e.children[6].textContent))`)
	if eval[bool](b, `[...document.querySelectorAll('.rows .rowg')].some((e) => e.children[6].scrollWidth > e.children[6].clientWidth)`) {
		t.Error("a volume in full is wider than its column")
	}

	for tz, zone := range map[string]string{"utc": "UTC", "ny": "America/New_York"} {
		b.setSetting("tz", tz)
		b.until("trades of "+zone, `(() => {
			const shown = document.querySelector('#tape .trade span')?.textContent;
			const near = [-3, -2, -1, 0].map((s) => new Intl.DateTimeFormat('en-GB', { timeZone: '`+zone+`', timeStyle: 'medium' }).format(Date.now() + s * 1000));
			return near.includes(shown);
		})()`)
	}

	b.setSetting("motion", "none")
	b.until("nothing flashes", `(() => {
		const e = document.querySelector('.rows .fu, .rows .fd');
		return e && getComputedStyle(e).backgroundColor === 'rgba(0, 0, 0, 0)';
	})()`)

	// All of it is kept, and in force before the first paint.
	b.inject(`addEventListener('DOMContentLoaded', () => { self.first = { ...document.documentElement.dataset }; }, { once: true })`)
	b.reload()
	b.waitLive()
	want := `{"theme":"system","colours":"blue","density":"` + eval[string](b, "document.documentElement.dataset.density") + `"`
	if have := eval[string](b, `JSON.stringify({ theme: first.theme, colours: first.colours, density: first.density }).slice(0, -1)`); have != want {
		t.Errorf("at the first paint %s, want %s", have, want)
	}
	if have := eval[string](b, `first.volume + ' ' + first.motion`); have != "full none" {
		t.Errorf("kept %q", have)
	}

	// A link's settings hold for its page alone.
	b.visit(s.url + "/?density=compact&colours=green")
	b.waitLive()
	b.until("compact, green", `document.documentElement.dataset.density === 'compact' && document.documentElement.dataset.colours === 'green'`)
	b.visit(s.url + "/")
	b.waitLive()
	if have := eval[string](b, "document.documentElement.dataset.colours"); have != "blue" {
		t.Errorf("a link changed what was kept: %q", have)
	}

	b.click("#settings-open")
	b.click("#settings-reset")
	b.until("the defaults", `document.documentElement.dataset.colours === 'green' && document.querySelector('#settings [name=volume][value=short]').checked`)
	b.clean()
}

// The settings are reached, used and left by the keyboard alone, and axe-core finds nothing serious in them.
func TestSettingsByKeyboard(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile(filepath.Join(root, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t)
	for _, lang := range []string{"en", "zh-CN"} {
		for _, theme := range []string{"dark", "light"} {
			b := openTab(t)
			b.colorScheme(theme)
			b.visit(s.url + "/?lang=" + lang)
			b.waitLive()
			b.run(`document.querySelector('#settings-open').focus()`)
			b.press(keys.enter)
			b.until("the settings are shown, the language under the keyboard", `document.activeElement.name === 'lang' && document.activeElement.checked`)
			b.press("p") // means nothing while they are
			b.audit(string(axe))
			b.run(`document.querySelector('#settings [name=density]:checked').focus()`)
			b.press(keys.right)
			b.until("an arrow chooses", `document.documentElement.dataset.density === 'compact'`)
			b.press(keys.escape)
			b.until("the button has the focus again", `!document.querySelector('#settings').open && document.activeElement.id === 'settings-open'`)
			if have := eval[string](b, "document.querySelector('#app').dataset.state"); have != "live" {
				t.Errorf("the page is %q", have)
			}
			b.clean()
		}
	}
}

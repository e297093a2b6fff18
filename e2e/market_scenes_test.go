package e2e

import (
	"github.com/chromedp/cdproto/browser"
)

// marketScenes are the panels beside the list, alerts, and the import of symbols.
var marketScenes = []scene{
	{"map", func(b *tab, p sceneServers) {
		b.openPanel(p.server.url + "/")
		b.waitHeatmap()
	}},
	{"movers", func(b *tab, p sceneServers) {
		b.openPanel(p.server.url + "/?panel=movers")
		b.until("movers", `document.querySelectorAll('#movers-losers li').length >= 3 && !document.querySelector('#breadth-bar').hidden`)
	}},
	{"trades-of-a-list", func(b *tab, p sceneServers) {
		b.openPanel(p.server.url + "/?panel=trades&trades=list&list=AAPL,MSFT,NVDA,AMZN,JPM,LLY,V,KO,PEP&name=Chips,%20phones%20and%20more")
		b.until("trades", `document.querySelectorAll('#trades .trade:not([hidden])').length > 8`)
	}},
	{"alerts-none", func(b *tab, p sceneServers) {
		b.notifications(p.server.url, browser.PermissionSettingPrompt)
		b.openPanel(p.server.url + "/?panel=alerts")
		b.until("the request for permission", `document.querySelector('#alert-allow').checkVisibility()`)
	}},
	{"alerts-fired", func(b *tab, p sceneServers) { b.showAlerts(p, "") }},
	{"chinese-alerts-fired", func(b *tab, p sceneServers) { b.showAlerts(p, "&lang=zh-CN") }},
	{"import", func(b *tab, p sceneServers) {
		b.visit(p.server.url + "/")
		b.waitLoaded()
		b.click("#lists-open")
		b.click("#lists-import")
		b.until("open", `document.activeElement.id === 'import-text'`)
		b.press("AAPL, MSFT" + keys.enter + "NOPE AAPL")
		b.until("what it would do", `/NOPE/.test(document.querySelector('#import-status').textContent)`)
	}},
	{"alert-true", func(b *tab, p sceneServers) {
		b.visit(p.server.url + "/?symbol=NVDA")
		b.waitLoaded()
		b.press("a")
		b.until("open", `document.querySelector('#alert')?.open`)
		b.press("0.5")
		b.until("true already", `document.querySelector('#alert-true').checkVisibility()`)
	}},
	{"alert-dialog", func(b *tab, p sceneServers) {
		b.visit(p.server.url + "/?symbol=NVDA")
		b.waitLoaded()
		b.press("a")
		b.until("open", `document.querySelector('#alert')?.open`)
		b.run(`const kind = document.querySelector('#alert-kind'); kind.value = 'within'; kind.dispatchEvent(new Event('change'));
			document.querySelector('#alert-minutes').value = '0'; document.querySelector('#alert form').requestSubmit()`)
		b.until("an error", `document.querySelector('#alert-wrong').textContent`)
	}},
}

// openPanel opens a page with a panel, which on a phone is a sheet.
func (b *tab) openPanel(url string) {
	b.t.Helper()
	b.visit(url)
	b.waitLoaded()
	if eval[bool](b, "innerWidth < 900") {
		b.click("#market-open")
	}
}

// showAlerts shows alerts of each kind and state, two of which have just fired, with notifications denied.
func (b *tab) showAlerts(p sceneServers, query string) {
	b.t.Helper()
	b.notifications(p.server.url, browser.PermissionSettingDenied)
	b.inject(`addEventListener('DOMContentLoaded', () => new MutationObserver(() => { // toasts stay while the pointer is on them
		for (const e of document.querySelectorAll('.toast')) e.dispatchEvent(new Event('pointerenter'));
	}).observe(document.body, { childList: true, subtree: true }))`)
	b.inject(`localStorage.setItem('ticklane.alerts', JSON.stringify({ v: 1, alerts: [
		['NVDA', 'above', 9999, 0, true], ['BRK.B', 'below', 12.5, 0, false], ['GOOGL', 'day', -12.5, 0, false], ['MSFT', 'within', 2.5, 15, true], ['META', 'below', 99999, 0, false],
		['AAPL', 'within', 0.001, 1, false], ['AAPL', 'within', -0.001, 1, false],
	].map(([S, kind, level, minutes, every], k) => ({ id: 'x' + k, S, kind, level, minutes, every, armed: false, done: false, n: 0, epoch: '', i: 0 })) }))`)
	b.openPanel(p.server.url + "/?panel=alerts" + query)
	b.until("two fired, one waiting", `document.querySelectorAll('.toast').length === 2 && document.querySelectorAll('#alert-triggered li').length === 2 && document.querySelector('#alert-list [data-state=waiting]')`)
	b.until("nothing is cut off", `[...document.querySelectorAll('#alert-list :is(span, .what), #alert-triggered *, #alert-denied')].every((e) => e.scrollWidth <= Math.max(e.clientWidth, e.offsetWidth))`)
}

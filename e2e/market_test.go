package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// waitHeatmap waits until the heat map is painted: its canvas has more than eight colours.
func (b *tab) waitHeatmap() {
	b.t.Helper()
	b.until("a painted map", `(() => {
		const c = document.querySelector('#heat canvas');
		if (!c?.width) return false;
		const copy = new OffscreenCanvas(c.width, c.height).getContext('2d', { willReadFrequently: true });
		copy.drawImage(c, 0, 0);
		const { data } = copy.getImageData(0, 0, c.width, c.height);
		const seen = new Set();
		for (let k = 0; k < data.length; k += 4 * 97) seen.add(data[k] << 16 | data[k + 1] << 8 | data[k + 2]);
		return seen.size > 8;
	})()`)
}

// TestPanels chooses panels by tabs, with the arrow keys, and by the address.
func TestPanels(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.colorScheme("light")
	b.visit(s.url + "/")
	b.waitLive()
	b.waitHeatmap()
	b.until("the sectors' table for screen readers", `document.querySelectorAll('#heat-table tbody tr').length > 5 && /%/.test(document.querySelector('#heat-table td').textContent)`)
	b.audit()
	b.do(chromedp.Focus(chromedp.CSS("#tab-heat")))
	for _, panel := range []string{"movers", "trades", "alerts"} {
		b.press(keys.right)
		b.until(panel, fmt.Sprintf(`document.activeElement.id === 'tab-%[1]s' && new URLSearchParams(location.search).get('panel') === '%[1]s' &&
			[...document.querySelectorAll('.tabpane')].filter((p) => p.checkVisibility()).map((p) => p.id).join() === 'panel-%[1]s' &&
			document.querySelectorAll('[role=tab][aria-selected=true]').length === 1`, panel))
		b.audit()
	}
	b.press(keys.right)
	b.until("the first again, without it in the address", `document.activeElement.id === 'tab-heat' && location.search.indexOf('panel') < 0`)
	b.visit(s.url + "/?panel=trades&trades=symbol&least=10000")
	b.waitLive()
	b.until("the address chooses", `document.querySelector('#trades').checkVisibility() && document.querySelector('#trades-size').value === '10000' &&
		document.querySelector('[data-trades=symbol]').ariaPressed === 'true'`)
	b.size(2560, 1300)
	b.until("all panels on a large screen", `[...document.querySelectorAll('.tabpane')].every((p) => p.checkVisibility() && p.clientHeight > 100 && p.role === 'region')`)
	b.clean()
}

// TestMap selects a symbol on the heat map with the arrow keys and Enter, and with a click.
func TestMap(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openLive(t, s.url+"/")
	b.waitHeatmap()
	if pixel := eval[[]int](b, `(() => {
		document.querySelector('input[name=theme][value=light]').click();
		const ctx = new OffscreenCanvas(1, 1).getContext('2d');
		ctx.drawImage(document.querySelector('#heat canvas'), 0, 0);
		return [...ctx.getImageData(0, 0, 1, 1).data];
	})()`); pixel[0] < 200 {
		t.Errorf("before it is painted the heatmap is %v in the light theme", pixel)
	}
	b.run(`document.querySelector('[role=tab]').focus()`)
	b.press("\t")
	b.until("the map is focused at the chart's symbol", `document.activeElement.id === 'heat' && document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))?.ariaLabel.startsWith('AAPL ')`)
	b.press(keys.right)
	b.until("another tile, with a label", `(() => {
		const o = document.getElementById(document.querySelector('#heat').getAttribute('aria-activedescendant'));
		self.next = o.ariaLabel.split(' ')[0];
		return self.next !== 'AAPL' && /· .*%$/.test(o.ariaLabel) && document.querySelectorAll('#heat [role=option]:not([hidden])').length === 1;
	})()`)
	b.press(keys.enter)
	b.until("Enter selects it", `document.querySelector('#q-symbol').textContent === self.next`)
	b.press(keys.down)
	at := eval[[]float64](b, `(() => {
		const o = document.querySelector('#heat [role=option]:not([hidden])');
		self.next = o.ariaLabel.split(' ')[0];
		const { left, top, width, height } = o.getBoundingClientRect();
		return [left + width / 2, top + height / 2];
	})()`)
	b.move(at[0], at[1])
	b.do(chromedp.MouseClickXY(at[0], at[1]))
	b.until("a click selects it, and the tip describes it", `document.querySelector('#q-symbol').textContent === self.next && document.querySelector('#heat-tip').textContent.startsWith(self.next + ' ')`)
	b.clean()
}

// TestMovers: the gainers are those with the largest changes, in order, and breadth counts every symbol.
func TestMovers(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openLive(t, s.url+"/?panel=movers&sort=-change")
	b.press("p") // list and movers show the same quotes
	b.state("paused", "^Paused")
	const gainers = `[...document.querySelectorAll('#movers-gainers b')].map((e) => e.textContent).join()`
	b.until("the list's first are the gainers", `(() => {
		const have = `+gainers+`;
		return have.split(',').length >= 3 && `+rows+`.map((e) => e.dataset.symbol).join().startsWith(have);
	})()`)
	b.until("breadth counts every symbol", `[...'up same down'.split(' ')].map((id) => Number(document.querySelector('#breadth-' + id + '-n').textContent.replace(/\D/g, ''))).reduce((a, b) => a + b) === 50 &&
		/^\d+.% above the open$/.test(document.querySelector('#breadth-open').textContent)`)
	b.until("breadth is drawn", `(() => {
		const [up, same, down, all] = ['#breadth-up', '#breadth-same', '#breadth-down', '#panel-movers'].map((id) => document.querySelector(id).offsetWidth);
		return up + same + down > all / 2;
	})()`)
	b.click("#movers-losers button")
	b.until("a click selects the symbol", `document.querySelector('#q-symbol').textContent === document.querySelector('#movers-losers b').textContent`)
	b.clean()
}

// countToasts counts toasts as they appear, since they disappear after a while.
const countToasts = `
	self.toasted = 0;
	addEventListener('DOMContentLoaded', () => new MutationObserver((all) => {
		for (const { addedNodes } of all) for (const e of addedNodes) if (e.matches?.('.toast')) self.toasted++;
	}).observe(document.body, { childList: true, subtree: true }));`

// recordAlerts records toasts, notifications, which it replaces, and the texts for screen readers.
const recordAlerts = countToasts + `
	self.notes = [];
	self.Notification = class { static permission = 'granted'; static requestPermission = async () => 'granted'; constructor(title, o) { self.notes.push(o.body); } close() {} };
	addEventListener('DOMContentLoaded', () => {
		self.said = [];
		new MutationObserver(() => self.said.push(document.querySelector('#live').textContent)).observe(document.querySelector('#live'), { childList: true, characterData: true, subtree: true });
	});`

// bringToFront makes this the visible tab: others get neither frames nor keys.
func (b *tab) bringToFront() {
	b.t.Helper()
	b.call(chromedp.Call(b.ctx, page.BringToFront, noParams))
}

// TestAlertFiresOnce creates an alert by keyboard. With two pages open it fires once, and not again after a switch of the lane
// and a reload.
func TestAlertFiresOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, "--market.rate", "300")
	b := openTab(t)
	b.inject(recordAlerts)
	b.visit(s.url + "/?symbol=LLY")
	b.waitLive()
	b.press("a")
	b.until("a dialog for the chart's symbol", `document.querySelector('#alert')?.open && document.querySelector('#alert-title').textContent === 'Alert on LLY' && document.activeElement.id === 'alert-level'`)
	b.press("\b0" + keys.enter)
	b.run(`document.querySelector('#alert-level').value = '-3'`)
	b.press(keys.enter)
	b.until("a negative price is refused", `/Enter a price of at least 0.01/.test(document.querySelector('#alert-wrong').textContent) && document.activeElement.getAttribute('aria-invalid') === 'true'`)
	b.press(keys.escape)
	b.until("closed", `!document.querySelector('#alert')`)

	other := b.sibling()
	other.inject(recordAlerts)
	other.visit(s.url + "/?symbol=LLY&lane=ws&panel=alerts")
	other.waitLive()
	b.bringToFront() // before the alerts are stored: a page that becomes visible reads them, and would lose a notification by the reload
	// The smallest move up and down within a minute, which trades make between bid and ask.
	b.run(`localStorage.setItem('ticklane.alerts', JSON.stringify({ v: 1, alerts: [['x', 0.001], ['y', -0.001]].map(([id, level]) =>
		({ id, S: 'LLY', kind: 'within', level, minutes: 1, every: false, armed: false, done: false, n: 0, epoch: '', i: 0 })) }))`)
	b.reload()
	b.waitLive()
	other.bringToFront()
	other.until("both alerts fired", `document.querySelectorAll('#alert-triggered li').length === 2 && document.querySelectorAll('#alert-list .done').length === 2`)
	total := func() int {
		return eval[int](b, "self.notes.length") + eval[int](other, "self.notes.length")
	}
	until(t, "two notifications", func() (bool, string) { n := total(); return n == 2, fmt.Sprint(n) })
	if n := eval[int](b, `self.said.filter((s) => /within 1 min/.test(s)).length`) + eval[int](other, `self.said.filter((s) => /within 1 min/.test(s)).length`); n != 2 {
		t.Errorf("%d texts for screen readers, want 2", n)
	}
	if n := eval[int](b, `self.toasted`) + eval[int](other, `self.toasted`); n != 2 {
		t.Errorf("%d toasts, want 2", n)
	}
	b.bringToFront()
	b.press("l")
	b.logged("Switched")
	seen := total()
	b.reload()
	b.waitLive()
	s.waitTicks(300)
	if n := eval[int](b, "self.notes.length"); n != 0 {
		t.Errorf("%d notifications after a reload, want none after %d before", n, seen)
	}
	other.bringToFront()
	other.until("no further alert", `document.querySelectorAll('#alert-triggered li').length === 2 && self.notes.length <= 2`)
	b.clean()
}

// recordNotifications records toasts, and the notifications that the browser has shown.
const recordNotifications = countToasts + `
	self.notes = [];
	self.Notification = class extends Notification { constructor(title, o) { super(title, o); this.addEventListener('show', () => self.notes.push(title + ': ' + this.body)); } };`

// notifications sets the user's permission for notifications of a site.
func (b *tab) notifications(url string, setting browser.PermissionSetting) {
	b.t.Helper()
	b.call(chromedp.Call(b.ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "notifications"}, Setting: setting, Origin: url, BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
	}))
}

// risingPrices returns a CSV file of ticks of one symbol, whose price rises by a cent every 10 ms for fifteen minutes.
func risingPrices(t testing.TB) string {
	t.Helper()
	text := strings.Builder{}
	text.WriteString("time,symbol,price,volume\n")
	for i := range 90_000 {
		fmt.Fprintf(&text, "%s,RISE,%.2f,100\n", time.UnixMilli(1767623400000+10*int64(i)).UTC().Format("2006-01-02T15:04:05.000Z"), 100+float64(i)/100)
	}
	name := filepath.Join(t.TempDir(), "rising.csv")
	if err := os.WriteFile(name, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestAlertAcrossReconnect: an alert whose price is reached while the connection is down fires once after it, from the replayed
// ticks or, if the log no longer has them, from the snapshot. A permitted notification is shown.
func TestAlertAcrossReconnect(t *testing.T) {
	t.Parallel()
	for _, way := range []struct{ lane, size, back string }{
		{"sse", "65536", "ticks replayed"},
		{"ws", "65536", "ticks replayed"},
		{"sse", "256", "expired); snapshot received"},
	} {
		t.Run(way.lane+way.size, func(t *testing.T) {
			t.Parallel()
			s := serve(t, "--feed.source", "replay", "--feed.file", risingPrices(t), "--feed.loop=false", "--stream.log_size", way.size)
			net := newProxy(t, s)
			b := openTab(t)
			b.notifications(net.url, browser.PermissionSettingGranted)
			b.inject(recordNotifications)
			b.visit(net.url + "/?panel=alerts&lane=" + way.lane)
			b.waitLive()
			now := func() (v struct{ Quotes []struct{ P float64 } }) {
				s.get("/api/quotes", &v)
				return v
			}
			b.press("a")
			b.until("the dialog", `document.activeElement.id === 'alert-level'`)
			b.run(`document.querySelector('[name=every][value=every]').click(); document.activeElement.select()`)
			net.set(swallowing) // no tick arrives, and the page doesn't notice
			level := fmt.Sprintf("%.2f", now().Quotes[0].P+1)
			b.press(level + keys.enter)
			b.until("armed", `document.querySelectorAll('#alert-list [data-state=armed]').length === 1 && document.querySelector('#alert-triggered').children.length === 0`)
			net.set(refusing)
			b.waitDisconnected()
			s.waitTicks(400)
			net.set(passing)
			b.state("live", "^Live$")
			b.logged(way.back)
			note := fmt.Sprintf("Ticklane: RISE: RISE at %s or above: ", level)
			b.until("fired", `document.querySelectorAll('#alert-triggered li').length === 1 && self.toasted === 1 && self.notes.length === 1 && self.notes[0].startsWith('`+note+`')`)
			net.set(refusing)
			b.until("disconnected again", `document.querySelector('#app').dataset.state !== 'live'`)
			s.waitTicks(100)
			net.set(passing)
			b.state("live", "^Live$")
			b.counters(map[string]int{"reconnects": 2, "lost": 0, "doubled": 0})
			last := now().Quotes[0].P
			b.reload()
			b.waitLive()
			b.until("quotes continue", fmt.Sprintf(`Number(document.querySelector('#row-RISE .last').textContent) > %f`, last+0.5))
			b.until("not fired again", `document.querySelectorAll('#alert-triggered li').length === 1 && self.toasted === 0 && self.notes.length === 0 &&
				document.querySelectorAll('#alert-list [data-state=waiting]').length === 1`)
		})
	}
}

// TestNotificationPermission: the page offers to request the permission, or explains that it is denied. Then an alert that is
// true when it is created fires at once if the user chooses so. The title counts it until its panel is opened.
func TestNotificationPermission(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	for _, is := range []struct {
		setting browser.PermissionSetting
		shown   string
	}{{browser.PermissionSettingPrompt, "alert-allow"}, {browser.PermissionSettingDenied, "alert-denied"}, {browser.PermissionSettingGranted, ""}} {
		b.notifications(s.url, is.setting)
		b.visit(s.url + "/?panel=alerts")
		b.waitLive()
		b.until(string(is.setting), `['alert-allow', 'alert-denied'].filter((id) => document.getElementById(id).checkVisibility()).join() === '`+is.shown+`'`)
	}
	b.click("#tab-heat")
	b.press("a")
	b.until("the dialog", `document.activeElement.id === 'alert-level'`)
	b.press("0.5")
	b.until("it is true already", `/^Already true: at 0.50 or above/.test(document.querySelector('#alert-true').textContent) && document.querySelector('[name=now][value=wait]').checked`)
	b.run(`document.querySelector('[name=now][value=fire]').click(); addEventListener('visibilitychange', (e) => e.stopImmediatePropagation(), true);
		self.hidden = true; Object.defineProperty(document, 'hidden', { get: () => self.hidden })`)
	b.press(keys.enter)
	b.until("fired, and counted in the title of the hidden page", `/^\(1\) \w/.test(document.title) && document.querySelectorAll('#alert-triggered li').length === 1 && document.querySelector('#tab-alerts').dataset.unread === '1'`)
	b.run(`self.hidden = false`)
	b.click("#tab-heat")
	b.click("#tab-alerts")
	b.until("seen", `/^\w/.test(document.title) && document.querySelector('#tab-alerts').dataset.unread === undefined`)
	b.click("#alert-clear")
	b.until("cleared", `document.querySelector('#alert-history').hidden && document.querySelectorAll('#alert-list [data-state=done]').length === 1`)
	b.clean()
}

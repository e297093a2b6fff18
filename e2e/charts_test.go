package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// bars compares the bars in the page's table with the server's at the same moment. It returns the first difference, if any.
const bars = `(async (symbol, interval) => {
	const want = (await (await fetch('/api/history?limit=200&symbol=' + symbol + '&interval=' + interval)).json()).bars.reverse();
	const rows = [...document.querySelectorAll('.bars tbody tr')].map((tr) => [...tr.children].map((e) => e.textContent.replace(/\s/g, '')));
	if (rows.length !== want.length) return rows.length + ' rows, want ' + want.length;
	for (const [k, b] of want.entries()) {
		const [, o, h, l, c, , v] = rows[k];
		const have = [o, h, l, c, v].join(' ');
		const wanted = [b.o.toFixed(2), b.h.toFixed(2), b.l.toFixed(2), b.c.toFixed(2), b.v].join(' ');
		if (have !== wanted) return 'row ' + k + ': ' + have + ', want ' + wanted;
	}
	return '';
})`

// bars waits until the page's table has the server's bars.
func (b *tab) bars(symbol, interval string) {
	b.t.Helper()
	until(b.t, "the server's bars of "+symbol, func() (bool, string) {
		wrong := eval[string](b, fmt.Sprintf("%s('%s', '%s')", bars, symbol, interval))
		return wrong == "", wrong
	})
}

// TestBarsAfterReconnects: after reconnects and switches of the lane, the page's bars equal the server's to the last share.
func TestBarsAfterReconnects(t *testing.T) {
	t.Parallel()
	s := serve(t, "--lab.enabled=true", "--market.rate", "20") // slow enough for page and server to agree between two trades
	b := openTab(t)
	b.inject(`localStorage.setItem('ticklane.settings', '{"v":1,"volume":"full"}')`)
	b.visit(s.url + "/?interval=10s")
	b.waitLive()
	b.until("a drawn chart", drawn)
	b.click("#chart-table")
	b.bars("AAPL", "10s")
	for _, lane := range []string{"ws", "sse", "ws"} {
		b.click("button[data-lane=" + lane + "]")
		if lane == "ws" {
			s.streams(0, 1)
		} else {
			s.streams(1, 0)
		}
		b.run(`dispatchEvent(new PageTransitionEvent('pagehide'))`) // as when the page enters the back/forward cache
		s.waitTicks(20)
		b.run(`dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`)
		b.waitLive()
		s.waitTicks(20)
		b.bars("AAPL", "10s")
	}
	b.clean()
}

// TestChartsSideBySide shows one, two and four charts. Their crosshairs show the same time; the focused one takes the selected
// symbol and can be saved as a picture.
func TestChartsSideBySide(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openLive(t, s.url+"/?charts=AAPL:1m,MSFT:5m:line")
	b.until("two charts", `[...document.querySelectorAll('#chart .host')].map((e) => e.ariaLabel).join() === 'Candlestick chart of AAPL, 1m,Line chart of MSFT, 5m'`)
	b.until("drawn", drawn)
	times := func(what, condition string) {
		b.until(what, `(() => {
			const [a, c] = [...document.querySelectorAll('.legend .time')].map((e) => Date.parse(e.textContent + ' ' + new Date().getFullYear()) / 60_000);
			return `+condition+`;
		})()`)
	}
	b.moveInto("#chart .pane:first-child .host", 0.3)
	times("the bar of five minutes that contains the one under the pointer", "a < Date.now() / 60_000 - 10 && c === Math.floor(a / 5) * 5")
	b.moveInto("#chart .pane:nth-child(2) .host", 0.5)
	times("and the other way round", "c < Date.now() / 60_000 - 10 && a === c")
	b.moveInto("#q-symbol", 0.5)
	times("the newest bars", "a > Date.now() / 60_000 - 10 && c > Date.now() / 60_000 - 10")
	b.click(".pane:nth-child(2) .pane-name")
	b.until("the second is focused", `document.querySelector('#q-symbol').textContent === 'MSFT' && document.querySelector('[data-interval="5m"]').ariaPressed === 'true'`)
	b.click("#row-NVDA")
	b.until("it shows the clicked symbol, as does the address", `document.querySelector('.pane:nth-child(2) .host').ariaLabel === 'Line chart of NVDA, 5m' &&
		location.search.includes('charts=AAPL:1m,NVDA:5m:line')`)
	b.run(`const make = URL.createObjectURL; URL.createObjectURL = (blob) => make.call(URL, (globalThis.saved = blob));
		HTMLAnchorElement.prototype.click = function () { globalThis.savedAs = this.download; };`)
	b.press("i")
	b.until("a picture of it", `/^NVDA-5m-\d{4}-\d\d-\d\d-\d{6}\.png$/.test(globalThis.savedAs) && saved.type === 'image/png'`)
	if wide := eval[bool](b, `createImageBitmap(saved).then((x) => { const e = document.querySelector('.pane:nth-child(2) .host'); return x.width > e.clientWidth - 8 && x.height > e.clientHeight + 40; })`); !wide {
		t.Error("the picture is smaller than the chart")
	}
	b.click(".chart-tools>.seg>[data-charts='4']")
	b.until("four", `document.querySelectorAll('.pane').length === 4`)
	b.click(".chart-tools>.seg>[data-charts='1']")
	b.until("the focused one stays", `document.querySelectorAll('.pane').length === 1 && document.querySelector('#chart .host').ariaLabel === 'Line chart of NVDA, 5m' && !location.search.includes('charts=')`)
	b.clean()
}

// TestChartEndsAtItsOldestBar: scrolling back ends at the oldest bars, which stay visible.
func TestChartEndsAtItsOldestBar(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openLive(t, s.url+"/")
	b.until("drawn", drawn)
	at := eval[[]float64](b, `(() => { const r = document.querySelector('#chart .host').getBoundingClientRect(); return [r.left + r.width / 4, r.top + r.height / 2]; })()`)
	scroll := func() {
		b.call(chromedp.Call(b.ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseWheel, X: at[0], Y: at[1], DeltaX: -3000, DeltaY: 0.001}))
	}
	until(t, "the oldest bar", func() (bool, string) {
		scroll()
		return eval[bool](b, `document.querySelector('.edge').textContent === 'Oldest available bar'`), "not there yet"
	})
	for range 10 {
		scroll()
	}
	b.move(at[0], at[1])
	b.until("an old bar under the pointer", `Date.now() - Date.parse(document.querySelector('.legend .time').textContent + ' ' + new Date().getFullYear()) > 30 * 60_000`)
	b.clean()
}

// TestSmallScreen: at 1024 px the figures of charts and connection, its log and the controls of the trades are whole.
func TestSmallScreen(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.size(1024, 768)
	for _, charts := range []string{"AAPL:1m", "AAPL:1m,MSFT:5m:line"} {
		b.visit(s.url + "/?panel=trades&charts=" + charts)
		b.waitLive()
		b.until("figures of each chart", `[...document.querySelectorAll('.pane')].every((e) => /\d/.test(e.querySelector('.close').textContent)) && document.querySelectorAll('#log li').length > 0`)
		for _, wrong := range eval[[]string](b, `(() => {
			const wrong = [];
			const inside = (e, box, spare = 0) => {
				const range = document.createRange();
				range.selectNodeContents(e);
				const [r, o] = [range, box].map((x) => x.getBoundingClientRect());
				if (r.width && (r.left < o.left || r.right > o.right - spare || r.top < o.top || r.bottom > o.bottom)) wrong.push(e.textContent + ' is cut');
			};
			for (const pane of document.querySelectorAll('.pane')) {
				for (const e of pane.querySelectorAll('.legend b')) {
					inside(e, pane, 50); // for the axis
					if (e.scrollWidth > e.clientWidth) wrong.push(e.textContent + ' is wider than its box');
				}
			}
			const lane = document.querySelector('#lane');
			for (const e of lane.querySelectorAll('dt, dd, #log span')) inside(e, lane);
			const size = document.querySelector('#trades-size').getBoundingClientRect();
			if (size.right > document.querySelector('#market').getBoundingClientRect().right - 2) wrong.push('the size filter is cut');
			return wrong;
		})()`) {
			t.Errorf("%s: %s", charts, wrong)
		}
	}
	b.clean()
}

// axisMarks records what the chart's time axis shows: in newestMarks the text, position and weight of each label.
const axisMarks = `{
	const draw = CanvasRenderingContext2D.prototype.fillText;
	let frame = -1;
	globalThis.newestMarks = [];
	CanvasRenderingContext2D.prototype.fillText = function (text, x, ...rest) {
		if (this.canvas.closest('tr')?.matches('tr:last-child')) {
			if (frame !== document.timeline.currentTime) newestMarks = [];
			frame = document.timeline.currentTime;
			newestMarks.push({ text, x: Math.round(x), bold: /bold/.test(this.font) });
		}
		return draw.call(this, text, x, ...rest);
	};
}`

// TestChartDays: in a zone of three quarters of an hour the axis has the day's mark at the zone's midnight, and the crosshair
// agrees. A chart that changes to an interval looks like one opened with it.
func TestChartDays(t *testing.T) {
	t.Parallel()
	s := serve(t, "--market.warmup=24h")
	b := openTab(t)
	b.call(chromedp.Call(b.ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zoneWithDayBegun()}))
	b.inject(axisMarks)
	const bold = `newestMarks.filter((m) => m.bold)`
	b.visit(s.url + "/?interval=1h")
	b.waitLive()
	b.until("the mark of a day", drawn+` && `+bold+`.length === 1`)
	opened := eval[string](b, `JSON.stringify(newestMarks)`)
	at := eval[[]float64](b, `(() => { const r = document.querySelector('#chart .host').getBoundingClientRect(); return [r.left + `+bold+`[0].x, r.top + r.height / 2]; })()`)
	b.move(at[0], at[1])
	b.until("the first bar of that day under the pointer", `(() => {
		const [, date, time] = /^(.+), (.+)$/.exec(document.querySelector('.legend .time').textContent) ?? [];
		return time === '00:45:00' && newestMarks.some((m) => m.bold && m.text.match(/\d+/)[0] === String(Number(date.match(/\d+/)[0])));
	})()`)
	b.visit(s.url + "/?interval=1m")
	b.waitLive()
	b.until("a drawn chart", drawn)
	b.click("[data-interval='1h']")
	b.until("the marks of a chart opened with that interval", `JSON.stringify(newestMarks) === '`+opened+`'`)

	b.click("[data-interval='1d']")
	b.until("a drawn chart", drawn)
	b.click("#chart-table")
	b.until("the days before today, which is UTC's", `document.querySelectorAll('.bars tbody tr').length === 200 &&
		[...document.querySelectorAll('.bars tbody th')].slice(0, 3).every((th, k) => Date.parse(th.textContent + ' UTC') === (Math.floor(Date.now() / 86_400_000) - k) * 86_400_000)`)
	b.clean()
}

// zoneWithDayBegun returns a time zone in which the day began some hours ago, at a quarter of an hour: the day's mark isn't at an edge
// of a chart of the last 24 hours.
func zoneWithDayBegun() string {
	if hour := time.Now().UTC().Hour(); hour >= 14 && hour < 22 {
		return "Pacific/Chatham" // since 10:15 or 11:15 UTC
	}
	return "Asia/Kathmandu" // since 18:15 UTC
}

// moveInto moves the mouse into an element, at a share of its width from the left.
func (b *tab) moveInto(selector string, share float64) {
	b.t.Helper()
	at := eval[[]float64](b, fmt.Sprintf(`(() => { const r = document.querySelector(%q).getBoundingClientRect(); return [r.left + r.width * %v, r.top + r.height / 2]; })()`, selector, share))
	b.move(at[0], at[1])
}

// TestAlertsOnTheChart creates an alert by a click on the price axis, drags its line to the other side of the price, and
// edits and removes it there.
func TestAlertsOnTheChart(t *testing.T) {
	t.Parallel()
	s := serve(t, "--market.rate", "30") // prices that vary: the newest is lower than the place of the first alert
	b := openLive(t, s.url+"/")
	b.until("drawn", drawn)
	b.press("p") // the scale of prices must not change
	b.state("paused", "^Paused")
	box := eval[[]float64](b, `(() => { const r = document.querySelector('#chart .host').getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; })()`)
	alerts := func(what, condition string) {
		b.until(what, `(() => {
			const alerts = JSON.parse(localStorage.getItem('ticklane.alerts') ?? '{}').alerts ?? [];
			const [a] = alerts;
			return `+condition+`;
		})()`)
	}
	axis, high, low := box[2]-20, box[1]+60, box[3]-80
	until(t, "a pointer for alerts", func() (bool, string) {
		b.move(axis, high)
		return eval[bool](b, `document.querySelector('.pane').matches('.over-axis')`), "not yet"
	})
	b.pressMouse(axis, high)
	b.releaseMouse(axis, high)
	b.until("the price in the editor", `document.activeElement.matches('.alert-edit input') && Number(document.activeElement.value) > 0`)
	alerts("no alert yet", "!alerts.length")
	b.press(keys.enter)
	alerts("an alert above the price", "alerts.length === 1 && a.S === 'AAPL' && a.kind === 'above' && !document.querySelector('.alert-edit')")
	b.pressMouse(box[0]+100, high)
	b.move(box[0]+100, (high+low)/2)
	b.move(box[0]+100, low)
	b.releaseMouse(box[0]+100, low)
	alerts("dragged below the price", "alerts.length === 1 && a.kind === 'below'")
	dropped := eval[float64](b, `JSON.parse(localStorage.getItem('ticklane.alerts')).alerts[0].level`)
	b.pressMouse(box[0]+100, low)
	b.move(box[0]+100, (high+low)/2)
	b.press(keys.escape)
	b.releaseMouse(box[0]+100, (high+low)/2)
	b.pressMouse(box[0]+100, low)
	b.releaseMouse(box[0]+100, low)
	b.until("the alert in the editor", `document.activeElement.matches('.alert-edit input')`)
	alerts("unchanged by a drag that Escape ended", fmt.Sprintf("a.level === %v", dropped))
	b.press("12.34" + keys.enter)
	alerts("another level, as in the list", "a.level === 12.34 && document.querySelector('#alert-list').textContent.includes('12.34')")
	b.pressMouse(axis, high)
	b.releaseMouse(axis, high)
	b.press(keys.enter)
	alerts("another", "alerts.length === 2")
	b.pressMouse(box[0]+100, high)
	b.releaseMouse(box[0]+100, high)
	b.click(".alert-edit button:last-child")
	alerts("removed", "alerts.length === 1 && a.level === 12.34 && document.activeElement.matches('.host')")
	b.clean()
}

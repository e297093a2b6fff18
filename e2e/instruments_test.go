package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// manyInstruments are two days of a currency pair, coins, an index and a future that fell below 0.
const manyInstruments = `time,symbol,bid,ask,last,bid_size,ask_size,volume
2026-03-02T14:30:00Z,EURUSD,1.08310,1.08312,1.08312,1000000,500000,1000000
2026-03-02T14:30:00Z,DOGE,0.31500,0.31511,0.31500,900.5,20.25,1000.5
2026-03-02T14:30:00Z,BTC,64000.00,64000.25,64000.25,0.0001,0.5,0.0132
2026-03-02T14:30:00Z,AUDJPY,97.100,97.105,97.102,1000,1000,5000
2026-03-02T14:30:00Z,^INDEX,5810.11,5810.15,5810.13,1,1,7
2026-03-02T14:30:00Z,x:CL/May,9.95,10.05,10.00,3,4,120
2026-03-03T14:30:00Z,EURUSD,1.08345,1.08347,1.08346,1000000,500000,1000000
2026-03-03T14:30:00Z,DOGE,0.31600,0.31611,0.31600,1000.5,20.25,20.25
2026-03-03T14:30:00Z,BTC,64150.00,64150.25,64150.25,0.0001,0.5,0.0132
2026-03-03T14:30:00Z,AUDJPY,97.120,97.125,97.123,1000,1000,5000
2026-03-03T14:30:00Z,^INDEX,5830.11,5830.15,5830.12,1,1,7
2026-03-03T14:30:00Z,x:CL/May,-40.40,-40.30,-40.32,3,4,240
`

// TestInstruments shows prices of 2, 3 and 5 decimals, sizes of 0.0001, a negative price and symbols with signs: in the list, the
// chart, an alert, a CSV file, JSON and protobuf.
func TestInstruments(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "many.csv")
	if err := os.WriteFile(file, []byte(manyInstruments), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--feed.source", "replay", "--feed.file", file, "--feed.loop=false", "--feed.speed", "max")
	s.waitReplayed(12)
	s.contains("/api/quotes", `"S":"EURUSD","bp":1.08345,"bs":1000000,"ap":1.08347,`, `"S":"DOGE","bp":0.31600,"bs":1000.50,`, `"S":"BTC","bp":64150.00,"bs":0.0001,`,
		`"S":"AUDJPY","bp":97.120,`, `"S":"x:CL/May","bp":-40.40,"bs":3,"ap":-40.30,"as":4,"p":-40.32,`)

	b := openTab(t)
	b.inject(`window.saved = [];
		const make = URL.createObjectURL.bind(URL);
		URL.createObjectURL = (blob) => { blob.text().then((text) => saved.push(text)); return make(blob); };
		HTMLAnchorElement.prototype.click = function () { window.savedAs = this.download; };`)
	rows := []string{
		"EURUSD | 1.08346 | +0.00034 | 1.08345×1.0M | 1.08347×500k | 0.00002",
		"DOGE | 0.31600 | +0.00100 | 0.31600×1.0k | 0.31611×20.3 | 0.00011",
		"BTC | 64 150.25 | +150.00 | 64 150.00×0.0001 | 64 150.25×0.500 | 0.25",
		"AUDJPY | 97.123 | +0.021 | 97.120×1.0k | 97.125×1.0k | 0.005",
		"^INDEX | 5 830.12 | +19.99 | 5 830.11×1 | 5 830.15×1 | 0.04",
		"x:CL/May | −40.32 | −50.32 | −40.40×3 | −40.30×4 | 0.10",
	}
	for _, query := range []string{"lane=sse", "lane=ws&encoding=protobuf"} {
		b.visit(s.url + "/?cols=last,net,bid,ask,spread&symbol=x:CL/May&" + query)
		b.until("the list over "+query, `(() => {
			const cells = (row) => [...row.querySelectorAll('[role=gridcell]')].map((c) => [...c.childNodes].map((n) => n.textContent).slice(0, c.className.includes('bp') ? 1 : 2).join('×'));
			return [...document.querySelectorAll('.rows .rowg')].map((r) => [r.dataset.symbol, ...cells(r)].join(' | ').replaceAll('\u202f', ' ')).sort().join('\n');
		})() === `+quoted(strings.Join(slices.Sorted(slices.Values(rows)), "\n")))
		b.until("the quote of a negative price", `document.querySelector('#q-last').textContent === '−40.32' && document.querySelector('#q-change').textContent.replaceAll('\u202f', ' ') === '▼ −50.32 (−503.20 %)' &&
			document.title.startsWith('x:CL/May −40.32 ▼')`)
	}
	b.until("the chart of a negative price", drawn+` && /−40.32/.test(document.querySelector('.legend').textContent)`)

	b.press("a")
	b.until("the dialog", `document.activeElement.id === 'alert-level' && document.activeElement.step === '0.01' && document.activeElement.value === '-39.92'`)
	b.run(`document.activeElement.select()`)
	b.press("-40.325" + keys.enter)
	b.until("more decimals are refused", `document.querySelector('#alert-wrong').textContent === 'Enter at most 2 decimals.'`)
	b.run(`document.querySelector('#alert-kind').value = 'below'; document.querySelector('#alert-level').value = '-40.32'; document.querySelector('#alert-kind').form.dispatchEvent(new Event('input'))`)
	b.until("the price is exactly there", `/^Already true: at −40.32 or below/.test(document.querySelector('#alert-true').textContent)`)
	b.click("[name=now][value=fire]")
	b.press(keys.enter)
	b.until("fired", `document.querySelector('#alert-triggered li .num')?.textContent === '−40.32'`)

	b.visit(s.url + "/?charts=^INDEX:1m,x:CL/May:5m:line,BTC:1h&symbol=BTC&interval=1h")
	b.until("three charts, of symbols with signs", `[...document.querySelectorAll('.pane-name')].map((e) => e.textContent).join() === '^INDEX 1m,x:CL/May 5m,BTC 1h'`)
	b.until("a drawn chart", drawn)
	b.click("#chart-table")
	b.until("the table", `/64 150\.25/.test(document.querySelector('.bars tbody')?.textContent.replaceAll('\u202f', ' '))`)
	b.click(".bars-head .button")
	b.until("the file", `saved.length === 1 && savedAs === 'BTC-1h.csv' && /,64000\.25,64150\.25,64000\.25,64150\.25,0\.0\d{3}\r\n$/.test(saved[0])`)
	b.press("i")
	b.until("a picture", `saved.length === 2 && /^BTC-1h-.*\.png$/.test(savedAs)`)
	b.clean()
	if *pictures != "" {
		for _, width := range []int64{1440, 390} {
			for _, theme := range []string{"dark", "light"} {
				b.colorScheme(theme)
				b.size(width, 900)
				for symbol, panel := range map[string]string{"EURUSD": "trades", "x:CL/May": "alerts", "BTC": "heat"} {
					b.visit(fmt.Sprintf("%s/?symbol=%s&panel=%s", s.url, symbol, panel))
					b.until("a drawn chart", drawn)
					picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
					if err != nil {
						t.Fatal(err)
					}
					keep(t, *pictures, fmt.Sprintf("instruments-%s-%s-%d", panel, theme, width), picture)
				}
			}
		}
	}
}

// waitReplayed waits until the log has n ticks.
func (s *server) waitReplayed(n uint64) {
	s.t.Helper()
	until(s.t, fmt.Sprintf("%d ticks", n), func() (bool, string) {
		head := s.stats().Log.Head
		return head >= n, fmt.Sprint(head)
	})
}

// contains fails the test unless the answer to a request has these texts.
func (s *server) contains(path string, texts ...string) {
	s.t.Helper()
	resp, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, text := range texts {
		if !strings.Contains(string(body), text) {
			s.t.Errorf("GET %s: %s\nwant %s", path, body, text)
		}
	}
}

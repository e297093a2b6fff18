package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// ingest sends lines of a live feed, which the server must accept.
func (s *server) ingest(lines ...string) {
	s.t.Helper()
	resp, err := http.Post(s.url+"/api/ingest", "application/x-ndjson", strings.NewReader(strings.Join(lines, "\n")+"\n"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("POST /api/ingest: %s", resp.Status)
	}
}

// TestGrowingFeed opens a page before the feed has symbols. They appear without a reload, with their decimals, and in a second tab
// of the same connection; the page says since when the feed is stale.
func TestGrowingFeed(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"lane=sse", "lane=ws&encoding=protobuf"} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			s := serve(t, "--feed.source", "ingest", "--feed.stale_after", "4s")
			b := openTab(t)
			b.visit(s.url + "/?cols=last,net,bid,ask&" + query)
			b.until("no symbols yet", `/^The feed has no symbols yet/.test(document.querySelector('#empty-text').textContent) && document.querySelector('#app').dataset.state === 'live'`)
			s.ingest(`{"T":"instrument","S":"EURUSD","name":"Euro / US dollar","sector":"fx","decimals":5,"currency":"USD","venue":"EBS"}`,
				`{"T":"q","S":"EURUSD","bp":1.08345,"ap":1.08347,"bs":1000000,"as":500000,"p":1.08346}`)
			const first = `document.querySelector('#row-EURUSD .last')?.textContent === '1.08346' && document.querySelector('#row-EURUSD .nm').textContent === 'Euro / US dollar · USD · EBS' &&
				document.querySelector('#empty').hidden`
			b.until("the first symbol", first+` && document.querySelector('#q-last').textContent === '1.08346' && document.querySelector('#q-name').textContent === 'Euro / US dollar · USD · EBS'`)
			b.until("stale", `/^Feed stale since \d\d:\d\d:\d\d: the server gets no quotes/.test(document.querySelector('#banner-text').textContent) && !document.querySelector('#banner').hidden`)
			second := b.sibling()
			second.visit(s.url + "/?cols=last,net,bid,ask&" + query)
			second.until("the first symbol, and stale, in a second tab", first+` && /^Feed stale since/.test(document.querySelector('#banner-text').textContent)`)
			s.ingest(`{"T":"instrument","S":"x:BTC/USD","sector":"crypto","decimals":2,"size_decimals":4}`,
				`{"T":"q","S":"x:BTC/USD","bp":64150.00,"ap":64150.25,"bs":0.0001,"as":0.5,"p":64150.25}`, `{"T":"q","S":"EURUSD","bp":1.08340,"ap":1.08342}`)
			for _, tab := range []*tab{b, second} {
				tab.bringToFront()
				tab.until("another one", `document.getElementById('row-x:BTC/USD')?.querySelector('.last').textContent.replace('\u202f', ' ') === '64 150.25' &&
					/^1\.08340/.test(document.querySelectorAll('#row-EURUSD .q')[0].textContent) && document.querySelectorAll('#chips .chip[data-sector]').length === 3`)
			}
			s.ingest(`{"T":"q","S":"EURUSD","bp":1.08341,"ap":1.08342}`)
			b.bringToFront()
			b.until("live again", `/^1\.08341/.test(document.querySelectorAll('#row-EURUSD .q')[0].textContent) && document.querySelector('#banner').hidden`)
			s.ingest(`{"T":"trade","S":"EURUSD","p":1.08342,"s":2000,"id":"1","c":["@","T"],"x":"EBS"}`, `{"T":"trade","S":"EURUSD","p":1.08343,"s":70,"id":"2"}`,
				`{"T":"trade","S":"EURUSD","p":1.08344,"s":900,"id":"3"}`, `{"T":"status","S":"EURUSD","status":"halted","reason":"news pending"}`)
			const trades = `[...document.querySelectorAll('#trades .trade:not([hidden])')].map((r) => [...r.children].slice(1, 4).map((c) => c.textContent.trim().replace('\u202f', ' ')).join(' ')).join()`
			b.click("#tab-trades")
			for _, tab := range []*tab{b, second} {
				tab.bringToFront()
				tab.until("halted", `(() => { const h = document.querySelector('#row-EURUSD .halted'); return h.checkVisibility() && h.title === 'news pending'; })()`)
			}
			b.bringToFront()
			b.until("the feed's trades", trades+` === 'EURUSD ▲ 1.08344 900,EURUSD ▲ 1.08343 70,EURUSD EBS @ T ▼ 1.08342 2 000' &&
				[...document.querySelectorAll('#trades [title]')].some((e) => e.title === 'Venue EBS, conditions @ T')`)
			s.ingest(`{"T":"trade","S":"EURUSD","p":1.08344,"s":80,"id":"2b","corrects":"2"}`, `{"T":"trade","S":"EURUSD","p":1.08344,"s":900,"cancels":"3"}`,
				`{"T":"status","S":"EURUSD","status":"trading"}`)
			b.until("one corrected, one cancelled, and trading again", trades+` === 'EURUSD ▲ 1.08344 80,EURUSD EBS @ T ▼ 1.08342 2 000' && !document.querySelector('#row-EURUSD .halted').checkVisibility()`)
			b.clean()
			second.clean()
		})
	}
}

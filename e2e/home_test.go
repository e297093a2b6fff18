package e2e

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

func TestHomePages(t *testing.T) {
	t.Parallel()
	s := serve(t, belowPath, "--market.rate", "300") // of which two symbols have few
	for _, lane := range []string{"sse", "ws"} {
		t.Run(lane, func(t *testing.T) {
			t.Parallel()
			b := openTab(t)
			b.inject(violations)
			b.visit(s.url + "/" + lane + "/home?user=me&topics=AAPL,MSFT")
			b.until("connected", `document.querySelector('#state').textContent === 'connected'`)
			b.until("ten ticks", `document.querySelectorAll('#messages li').length >= 10`)
			b.until("ticks of both symbols and no other", `(() => {
				const ticks = [...document.querySelectorAll('#messages li')].map((e) => e.textContent.match(/"S":"(\w+)"/)?.[1]).filter(Boolean);
				return ticks.includes('AAPL') && ticks.includes('MSFT') && ticks.every((x) => x === 'AAPL' || x === 'MSFT');
			})()`)
			checkViolations(b)
			b.clean()
		})
	}
}

// TestHomePagesEscape puts markup into the address: wherever the page shows it, it stays text.
func TestHomePagesEscape(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.inject(violations)
	for _, user := range []string{
		`"><script>self.hacked=1</script>`, `<img src=x onerror="self.hacked=1">`, `' onfocus='self.hacked=1' autofocus='`,
	} {
		for _, lane := range []string{"sse", "ws"} {
			b.visit(s.url + "/" + lane + "/home?topics=*&user=" + url.QueryEscape(user))
			b.until("connected", `document.querySelector('#state').textContent === 'connected'`)
			b.until("messages", `document.querySelectorAll('#messages li').length > 2`)
			if have := eval[string](b, "document.body.dataset.user"); have != user {
				t.Errorf("the page's user is %q, want %q", have, user)
			}
			if eval[bool](b, "'hacked' in self || !!document.querySelector('img, [onfocus], body script')") {
				t.Errorf("%s: %q became markup", lane, user)
			}
			if have := eval[string](b, "new URL(document.querySelector('nav a').href).searchParams.get('user')"); have != user {
				t.Errorf("the link to the other lane has user %q, want %q", have, user)
			}
			checkViolations(b)
		}
	}
	b.clean()
}

// TestEveryPageNamesItsMarket finds the kind of market on every page.
func TestEveryPageNamesItsMarket(t *testing.T) {
	t.Parallel()
	ticks := filepath.Join(t.TempDir(), "ticks.csv")
	if err := os.WriteFile(ticks, []byte("time,symbol,bid,ask,last\n2024-01-02T09:30:00Z,AAPL,10.00,10.02,10.01\n2024-01-02T09:30:01Z,AAPL,10.01,10.03,10.02\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, s := range map[string]*server{
		"SIMULATED MARKET":    serve(t),
		"LIVE FEED":           serve(t, "--feed.source", "ingest"),
		"REPLAY of ticks.csv": serve(t, "--feed.source", "replay", "--feed.file", ticks),
	} {
		b := openTab(t)
		b.size(390, 844)
		for _, path := range []string{"/", "/sse/home", "/ws/home", "/nothing", "/reports"} {
			b.visit(s.url + path)
			if have := eval[string](b, `document.querySelector('.sim').innerText.trim()`); have != want {
				t.Errorf("%s: market label %q, want %q", path, have, want)
			}
		}
	}
}

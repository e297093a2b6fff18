package e2e

import (
	"maps"
	"slices"
	"testing"
)

// violations collects in the page what its own policy blocks.
const violations = `self.violations = []; addEventListener('securitypolicyviolation', (e) => self.violations.push(e.violatedDirective + ' ' + e.blockedURI));`

// TestDashboard opens the dashboard for the first time: quotes, chart, sparklines and the connection's figures appear, over
// one SSE stream, with requests to the server alone and nothing blocked by the page's policy.
func TestDashboard(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.inject(violations)
	b.visit(s.url + "/")
	b.waitLive()
	b.until("a drawn chart", drawn)
	b.until("history in the sparklines", `document.querySelectorAll('.rows .sparkcol path[d^=M]').length > 5`)
	b.until("figures of the lane", `/\d/.test(document.querySelector('#latency').textContent) && /\d/.test(document.querySelector('#n-wire').textContent)`)

	b.until("a title with the chosen symbol's price", `/^AAPL \d+\.\d\d.* · Ticklane$/.test(document.title)`)
	if have := eval[int](b, "Number(document.querySelector('#grid').getAttribute('aria-rowcount'))"); have != 51 {
		t.Errorf("aria-rowcount %d, want 50 rows and their header", have)
	}
	var listed struct {
		Symbols []struct{ Symbol, Name string }
	}
	s.get("/api/symbols", &listed)
	if len(listed.Symbols) != 50 {
		t.Fatalf("/api/symbols has %d symbols, want 50", len(listed.Symbols))
	}
	for i, have := range eval[[]string](b, "[...document.querySelectorAll('.rows .rowg .sy b')].map((e) => e.textContent).slice(0, 12)") {
		if want := listed.Symbols[i].Symbol; have != want {
			t.Errorf("row %d is %q, want %q", i, have, want)
		}
	}
	if have := b.text(".foot .sim"); have != "SIMULATED MARKET" {
		t.Errorf("market label %q, want SIMULATED MARKET", have)
	}
	b.counters(map[string]int{"gaps": 0, "doubled": 0, "lost": 0, "reconnects": 0, "switches": 0})
	checkViolations(b)
	if have := slices.Collect(maps.Keys(b.hosts())); len(have) != 1 || have[0] != s.addr {
		t.Errorf("requests to hosts %q, want only %q", have, s.addr)
	}
	b.clean()

	s.streams(1, 0)
}

// checkViolations fails the test if the page's policy has blocked anything; violations must have been injected.
func checkViolations(b anyTab) {
	t := b.doc().t
	t.Helper()
	if have := eval[[]string](b, "self.violations"); len(have) > 0 {
		t.Errorf("policy violations: %q", have)
	}
}

// drawn reports whether the chart's canvases have more than three colours.
const drawn = `[...document.querySelectorAll('#chart canvas')].some((c) => {
	if (!c.width || !c.height) return false;
	const copy = new OffscreenCanvas(c.width, c.height).getContext('2d', { willReadFrequently: true });
	copy.drawImage(c, 0, 0);
	const seen = new Set();
	return new Uint32Array(copy.getImageData(0, 0, c.width, c.height).data.buffer).some((p) => seen.add(p).size > 3);
})`

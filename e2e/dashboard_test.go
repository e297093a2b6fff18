package e2e

import (
	"maps"
	"slices"
	"testing"
)

// violations collects what the page's own policy forbade.
const violations = `self.violations = []; addEventListener('securitypolicyviolation', (e) => self.violations.push(e.violatedDirective + ' ' + e.blockedURI));`

func TestFreshPage(t *testing.T) {
	s := serve(t)
	b := openTab(t)
	b.inject(violations)
	b.visit(s.url + "/")
	b.live()
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
		t.Errorf("the page must say that its market is simulated, says %q", have)
	}
	b.figures(map[string]int{"gaps": 0, "doubled": 0, "lost": 0, "reconnects": 0, "switches": 0})
	if have := eval[[]string](b, "self.violations"); len(have) > 0 {
		t.Errorf("policy violations: %q", have)
	}
	if have := slices.Collect(maps.Keys(b.hosts())); len(have) != 1 || have[0] != s.addr {
		t.Errorf("the page asked %q, want %q alone", have, s.addr)
	}
	b.clean()

	s.streams(1, 0)
	b = openTab(t)
	b.inject(alone) // the browser tells nothing of what a worker asks for
	b.visit(s.url + "/")
	b.live()
	streams := b.to("/sse/subscribe")
	if len(streams) != 1 || streams[0].events == 0 {
		t.Fatalf("streams %+v, want one with events", streams)
	}
	event := (streams[0].first - streams[0].sent) * 1000
	painted := eval[float64](b, "performance.getEntriesByName('first-quote')[0].startTime")
	t.Logf("first SSE event %.1f ms after its request; first quote painted %.0f ms after navigation began", event, painted)
}

// drawn is whether the chart's canvases hold more than one colour.
const drawn = `[...document.querySelectorAll('#chart canvas')].some((c) => {
	if (!c.width || !c.height) return false;
	const copy = new OffscreenCanvas(c.width, c.height).getContext('2d', { willReadFrequently: true });
	copy.drawImage(c, 0, 0);
	const p = new Uint32Array(copy.getImageData(0, 0, c.width, c.height).data.buffer);
	return new Set(p).size > 3;
})`

package e2e

import (
	"strconv"
	"strings"
	"testing"

	"ticklane/internal/testkit"
)

// noSharedWorker removes SharedWorker from the page, as in browsers that lack it.
const noSharedWorker = `delete self.SharedWorker;`

// recorder records the messages of every connection of the page, and those that its worker passes on: the seqs received, the
// number of hellos, and each symbol's newest quote. It is independent of the page's own accounting.
const recorder = `(() => {
	const rec = self.recorder = { hellos: 0, seqs: new Set(), last: 0, newest: new Map(), from: 0, at: 0 };
	const take = (e) => {
		const m = JSON.parse(e.data);
		if (m.T === 'hello') rec.hellos++;
		if (m.T === 'snapshot') {
			rec.from ||= m.i;
			rec.at = m.i;
		}
		for (const q of m.T === 'snapshot' ? m.quotes : m.T === 'q' ? [m] : []) {
			if (m.T === 'q') {
				rec.seqs.add(q.i);
				rec.last = Math.max(rec.last, q.i);
			}
			const old = rec.newest.get(q.S);
			if (!old || q.n > old.n) rec.newest.set(q.S, q);
		}
	};
	const { EventSource, WebSocket, SharedWorker } = self;
	if (SharedWorker) self.SharedWorker = class extends SharedWorker {
		constructor(...args) {
			super(...args);
			this.port.addEventListener('message', ({ data: m }) => m.data?.forEach((data) => take({ data })));
		}
	};
	self.EventSource = class extends EventSource {
		constructor(...args) {
			super(...args);
			for (const name of ['message', 'hello', 'snapshot']) this.addEventListener(name, take);
		}
	};
	self.WebSocket = class extends WebSocket {
		constructor(...args) { super(...args); this.addEventListener('message', take); }
	};
	// The number of gaps between the first and the last seq.
	rec.holes = () => {
		const all = [...rec.seqs].sort((a, b) => a - b);
		return all.filter((i, k) => k && i !== all[k - 1] + 1).length;
	};
	rec.missing = () => Math.max(rec.at, rec.last) - rec.from - rec.seqs.size; // seqs not received since the first snapshot
	// The rows that don't show the newest quote.
	rec.wrong = () => [...document.querySelectorAll('.rows .rowg')].filter((row) => {
		const q = rec.newest.get(row.dataset.symbol);
		const [, last, , , bid, ask] = [...row.children].map((e) => (e.firstChild?.data ?? '').replace(/\s/g, ''));
		return !q || last !== q.p.toFixed(2) || bid !== q.bp.toFixed(2) || ask !== q.ap.toFixed(2);
	}).map((row) => row.textContent);
})()`

// TestLaneSwitchByClick switches to WebSocket and back.
func TestLaneSwitchByClick(t *testing.T) {
	t.Parallel()
	s := serve(t, belowPath)
	b := openLive(t, s.url+"/")
	s.streams(1, 0)

	b.click("button[data-lane=ws]")
	s.streams(0, 1)
	b.logged("Switched SSE → WebSocket")
	b.until("WebSocket pressed and in the address", `document.querySelector('button[data-lane=ws]').getAttribute('aria-pressed') === 'true' &&
		document.querySelector('button[data-lane=sse]').getAttribute('aria-pressed') === 'false' && location.search.includes('lane=ws')`)
	b.click("button[data-lane=sse]")
	s.streams(1, 0)
	b.logged("Switched WebSocket → SSE")
	b.counters(map[string]int{"switches": 2, "lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
	b.clean()
}

// TestManyLaneSwitches switches lanes at 1,000 ticks/s at random moments, and cancels some switches before they are done. The
// page receives every tick once.
func TestManyLaneSwitches(t *testing.T) {
	t.Parallel()
	s := serve(t, "--market.rate", "1000")
	b := openTab(t)
	b.inject(recorder)
	b.visit(s.url + "/")
	b.waitLive()
	rng := testkit.Rand(t)
	rounds := testkit.Rounds(2, 10)
	for range rounds {
		var pauses [10]int // milliseconds between switches
		for k := range pauses {
			pauses[k] = rng.IntN(60)
		}
		b.run(`
			const pauses = ` + quoted(pauses) + `;
			const pause = (ms) => new Promise((done) => setTimeout(done, ms));
			const { recorder: rec } = self;
			const lanes = [...document.querySelectorAll('button[data-lane]')];
			for (let k = 1; k <= 10; k++) {
				const [from, to] = lanes;
				if (k === 10) { // cancelled at once
					to.click();
					from.click();
				}
				const before = rec.hellos;
				to.click();
				while (rec.hellos === before) await pause(5);
				lanes.reverse();
				await pause(pauses[k - 1]);
			}`)
	}
	b.counters(map[string]int{"switches": 10 * rounds, "lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})

	head := s.stats().Log.Head
	b.until("the head arrives", "self.recorder.last >= "+strconv.FormatUint(head, 10))
	s.stop() // no quote changes while the rows are compared
	b.until("the page notices the end", `document.querySelector('#app').dataset.state !== 'live'`)
	got := eval[struct{ Seqs, Holes, Last int }](b, `({ Seqs: self.recorder.seqs.size, Holes: self.recorder.holes(), Last: self.recorder.last })`)
	t.Logf("%d ticks received, %d gaps, last seq %d; head %d shortly before the end", got.Seqs, got.Holes, got.Last, head)
	if got.Holes != 0 || got.Seqs < 100*rounds {
		t.Errorf("%d ticks received with %d gaps, want at least %d without gaps", got.Seqs, got.Holes, 100*rounds)
	}
	b.until("every row shows its newest quote", `self.recorder.wrong().length === 0`)
	b.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0})
}

// TestLaneThatCannotBeOpened: the page stays on SSE when WebSocket can't be opened.
func TestLaneThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := openTab(t)
	b.inject(noSharedWorker + `{ const { WebSocket } = self; self.WebSocket = class { constructor(url, protocols) { return new WebSocket(url.replace('/ws/', '/nothing/'), protocols); } } }`)
	b.visit(s.url + "/")
	b.waitLive()
	b.click("button[data-lane=ws]")
	b.logged("Could not open WebSocket; staying on SSE")
	b.until("SSE pressed", `document.querySelector('button[data-lane=sse]').getAttribute('aria-pressed') === 'true' && !location.search.includes('lane=ws')`)
	s.streams(1, 0)
	b.counters(map[string]int{"switches": 0, "lost": 0, "reconnects": 0})
	for _, c := range b.errors() {
		if !strings.Contains(c, "/nothing/subscribe") {
			t.Error(c)
		}
	}
}

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// beside opens another tab of the same browser: with the same storage, cache, connections and worker.
func (b *tab) beside() *tab {
	b.t.Helper()
	w := &witness{}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewWindow(false), chromedp.WithListener(w.see))
	b.t.Cleanup(cancel)
	next := &tab{t: b.t, ctx: ctx, witness: w}
	next.call(chromedp.Call(ctx, audits.Enable, noParams)) // begins it, for longer than one action's patience
	next.size(1440, 900)
	return next
}

// inSight makes tabs paint though others are in front of them.
func inSight(tabs ...*tab) {
	for _, b := range tabs {
		b.t.Helper()
		b.call(chromedp.Call(b.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	}
}

// shut closes the tab as a person does.
func (b *tab) shut() {
	b.t.Helper()
	b.call(chromedp.Call(b.ctx, page.Close, noParams))
}

// moves fails the test unless quotes come to each tab.
func moves(tabs ...*tab) {
	for _, b := range tabs {
		b.t.Helper()
		b.until("ticks come", fmt.Sprintf(`document.querySelector('#position').textContent !== %q`, b.text("#position")))
	}
}

// Twenty tabs on HTTP/1.1, which gives a browser six connections: each shows live quotes, all over one stream of a lane.
func TestTwentyTabs(t *testing.T) {
	t.Parallel()
	s := serve(t, "--market.rate", "100")
	first := openTab(t)
	first.visit(s.url + "/")
	first.live()
	tabs := []*tab{first}
	for k := 1; k < 20; k++ {
		b := first.beside()
		b.visit(s.url + map[bool]string{true: "/?lane=ws", false: "/"}[k%2 == 1])
		b.live()
		tabs = append(tabs, b)
	}
	s.streams(1, 1)
	for _, b := range tabs {
		b.front()
		moves(b)
		b.figures(map[string]int{"lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
	}
	for k, b := range slices.Backward(tabs) {
		if k > 1 {
			b.shut()
		}
	}
	inSight(tabs[:2]...)
	moves(tabs[:2]...)
	s.streams(1, 1)
	tabs[1].click("button[data-lane=sse]")
	s.streams(1, 0)
	tabs[1].told("Switched WebSocket → SSE")
	tabs[1].figures(map[string]int{"lost": 0, "doubled": 0, "gaps": 0})
	tabs[1].shut()
	s.streams(1, 0)
	first.figures(map[string]int{"lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
	first.clean()
	first.shut()
	s.streams(0, 0)
}

// A worker's stream that is cut, or falls silent, is told in each tab, and each resumes without loss.
func TestSharedStreamHeals(t *testing.T) {
	t.Parallel()
	for _, how := range []mode{refusing, swallowing} {
		t.Run(map[mode]string{refusing: "cut", swallowing: "silent"}[how], func(t *testing.T) {
			t.Parallel()
			bothLanes(t, func(t *testing.T, query string) {
				s := serve(t, "--stream.heartbeat", "2s", "--market.rate", "500")
				net := between(t, s)
				one := openTab(t)
				one.visit(net.url + query)
				one.live()
				two := one.beside()
				inSight(one, two)
				two.visit(net.url + query)
				two.live()
				net.set(how)
				for _, b := range []*tab{one, two} {
					b.told("Connection lost")
					b.until("not live", `document.querySelector('#app').dataset.state !== 'live'`)
				}
				s.grows(300)
				net.set(passing)
				for _, b := range []*tab{one, two} {
					b.state("live", "^Live$")
					b.until("the replay is told", `/Reconnected in .*, [1-9][\d\s]* ticks replayed/.test(document.querySelector('#log').textContent)`)
					b.figures(map[string]int{"reconnects": 1, "lost": 0, "doubled": 0, "gaps": 0})
				}
				s.streams(map[bool]int{true: 1}[strings.Contains(query, "sse")], map[bool]int{true: 1}[strings.Contains(query, "ws")])
			})
		})
	}
}

// One tab leaves for another page, or is frozen, while the other watches on; it comes back without loss.
func TestTabsComeAndGo(t *testing.T) {
	t.Parallel()
	s := serve(t, "--market.rate", "300", "--stream.heartbeat", "2s")
	one := openTab(t)
	one.visit(s.url + "/")
	one.live()
	two := one.beside()
	inSight(one, two)
	two.visit(s.url + "/")
	two.live()
	two.run(`self.kept = true`)
	two.visit(s.url + "/healthz")
	s.grows(600)
	two.back()
	two.live()
	t.Logf("kept by the browser: %v", eval[bool](two, "self.kept === true"))
	two.figures(map[string]int{"lost": 0, "doubled": 0, "gaps": 0})
	two.call(chromedp.Call(two.ctx, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: page.SetWebLifecycleStateStateFrozen}))
	s.grows(1800) // 6 s, in which what isn't frozen would take it for dead
	two.call(chromedp.Call(two.ctx, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: page.SetWebLifecycleStateStateActive}))
	two.state("live", "^Live$")
	moves(one, two)
	one.figures(map[string]int{"lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
	two.figures(map[string]int{"lost": 0, "doubled": 0, "gaps": 0})
	s.streams(1, 0)
}

// The only tab goes elsewhere and comes back, from the browser's cache of whole pages, to a worker that was stopped meanwhile.
func TestSharedAlone(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, query string) {
		s := serve(t, "--market.rate", "300")
		b := openTab(t)
		b.visit(s.url + query)
		b.live()
		b.run(`self.kept = true`)
		b.visit(s.url + "/healthz")
		s.grows(900)
		b.back()
		b.until("the page was kept in the back/forward cache", `self.kept === true`)
		b.live()
		b.told("Reconnected in")
		moves(b)
		b.figures(map[string]int{"lost": 0, "doubled": 0, "gaps": 0})
		s.streams(map[bool]int{true: 1}[strings.Contains(query, "sse")], map[bool]int{true: 1}[strings.Contains(query, "ws")])
		b.shut()
		s.streams(0, 0)
	})
}

// Where the worker can't be loaded, as after a deploy, each tab has a connection of its own.
func TestWorkerThatCannotBeLoaded(t *testing.T) {
	t.Parallel()
	s := serve(t)
	one := openTab(t)
	one.inject(`{ const { SharedWorker } = self; self.SharedWorker = class { constructor(url, options) { return new SharedWorker(self.trustedTypes.createPolicy('t' + Math.random(), { createScriptURL: (u) => u }).createScriptURL('/assets/worker-AAAAAAAA.js'), options); } } }`)
	one.visit(s.url + "/")
	one.live()
	two := one.beside()
	inSight(one, two)
	two.inject(alone)
	two.visit(s.url + "/")
	two.live()
	s.streams(2, 0)
	moves(one, two)
	one.figures(map[string]int{"lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
}

// Protobuf is shared as bytes, and each tab reads them.
func TestSharedProtobuf(t *testing.T) {
	t.Parallel()
	s := serve(t)
	one := openTab(t)
	one.visit(s.url + "/?lane=ws&encoding=protobuf")
	one.live()
	two := one.beside()
	inSight(one, two)
	two.visit(s.url + "/?lane=ws&encoding=protobuf")
	two.live()
	s.streams(0, 1)
	moves(one, two)
	two.figures(map[string]int{"lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
	one.clean()
	two.clean()
}

// The tabs' topics on the server are what they want together, and go with the tab that wanted them.
func TestSharedTopics(t *testing.T) {
	t.Parallel()
	s := serve(t, "--market.rate", "300")
	one := openTab(t)
	one.size(390, 844) // a phone's page wants what its list and its chart show
	one.visit(s.url + "/?symbol=AAPL&q=apple")
	one.live()
	s.topics("sse", "AAPL")
	two := one.beside()
	inSight(one, two)
	two.visit(s.url + "/")
	two.live()
	s.topics("sse", "*", "AAPL")
	two.size(390, 844)
	two.visit(s.url + "/?symbol=MSFT&q=visa")
	two.live()
	s.topics("sse", "AAPL", "MSFT", "V")
	two.shut()
	s.topics("sse", "AAPL")
	one.figures(map[string]int{"lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
	one.clean()
}

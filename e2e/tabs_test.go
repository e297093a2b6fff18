package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"ticklane/internal/testkit"
)

// emulateFocus makes tabs paint although others cover them.
func emulateFocus(tabs ...*tab) {
	for _, b := range tabs {
		b.t.Helper()
		b.call(chromedp.Call(b.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	}
}

// close closes the tab as its user does.
func (b *tab) close() {
	b.t.Helper()
	b.call(chromedp.Call(b.ctx, page.Close, noParams))
}

// ticksArrive waits until each tab has applied another tick.
func ticksArrive(tabs ...*tab) {
	for _, b := range tabs {
		b.t.Helper()
		b.ticksArrive()
	}
}

// TestManyTabs opens more tabs than the six connections that a browser has for a server over HTTP/1.1. All show live quotes,
// over one stream of each lane.
func TestManyTabs(t *testing.T) {
	t.Parallel()
	s := serve(t, "--market.rate", "100")
	first := openTab(t)
	first.visit(s.url + "/")
	first.waitLive()
	tabs := []*tab{first}
	for k := 1; k < testkit.Rounds(8, 20); k++ {
		b := first.sibling()
		b.visit(s.url + map[bool]string{true: "/?lane=ws", false: "/"}[k%2 == 1])
		b.waitLive()
		tabs = append(tabs, b)
	}
	s.streams(1, 1)
	for _, b := range tabs {
		b.bringToFront()
		ticksArrive(b)
		b.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
	}
	for k, b := range slices.Backward(tabs) {
		if k > 1 {
			b.close()
		}
	}
	emulateFocus(tabs[:2]...)
	ticksArrive(tabs[:2]...)
	s.streams(1, 1)
	tabs[1].click("button[data-lane=sse]")
	s.streams(1, 0)
	tabs[1].logged("Switched WebSocket → SSE")
	tabs[1].counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0})
	tabs[1].close()
	s.streams(1, 0)
	first.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
	first.clean()
	first.close()
	s.streams(0, 0)
}

// TestSharedStreamHeals cuts or silences a worker's stream: each tab reports it and resumes without loss.
func TestSharedStreamHeals(t *testing.T) {
	t.Parallel()
	for _, how := range []mode{refusing, swallowing} {
		t.Run(map[mode]string{refusing: "cut", swallowing: "silent"}[how], func(t *testing.T) {
			t.Parallel()
			bothLanes(t, func(t *testing.T, query string) {
				s := serve(t, "--stream.heartbeat", "2s", "--market.rate", "500")
				net := newProxy(t, s)
				one := openTab(t)
				one.visit(net.url + query)
				one.waitLive()
				two := one.sibling()
				emulateFocus(one, two)
				two.visit(net.url + query)
				two.waitLive()
				net.set(how)
				for _, b := range []*tab{one, two} {
					b.logged("Connection lost")
					b.until("not live", `document.querySelector('#app').dataset.state !== 'live'`)
				}
				s.waitTicks(300)
				net.set(passing)
				for _, b := range []*tab{one, two} {
					b.state("live", "^Live$")
					b.until("the replay in the log", `/Reconnected in .*, [1-9][\d\s]* ticks replayed/.test(document.querySelector('#log').textContent)`)
					b.counters(map[string]int{"reconnects": 1, "lost": 0, "doubled": 0, "gaps": 0})
				}
				s.streams(map[bool]int{true: 1}[strings.Contains(query, "sse")], map[bool]int{true: 1}[strings.Contains(query, "ws")])
			})
		})
	}
}

// TestTabsLeaveAndReturn takes one tab to another page and back, and freezes it, while the other stays live. Neither loses
// a tick.
func TestTabsLeaveAndReturn(t *testing.T) {
	t.Parallel()
	s := serve(t, "--market.rate", "300", "--stream.heartbeat", "2s")
	one := openTab(t)
	one.visit(s.url + "/")
	one.waitLive()
	two := one.sibling()
	emulateFocus(one, two)
	two.visit(s.url + "/")
	two.waitLive()
	two.run(`self.kept = true`)
	two.visit(s.url + "/healthz")
	s.waitTicks(600)
	two.back()
	two.waitLive()
	t.Logf("kept in the back/forward cache: %v", eval[bool](two, "self.kept === true"))
	two.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0})
	two.call(chromedp.Call(two.ctx, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: page.SetWebLifecycleStateStateFrozen}))
	s.waitTicks(1800) // 6 s: without freezing, the page would miss heartbeats and reconnect
	two.call(chromedp.Call(two.ctx, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: page.SetWebLifecycleStateStateActive}))
	two.state("live", "^Live$")
	ticksArrive(one, two)
	one.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
	two.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0})
	s.streams(1, 0)
}

// TestSingleTabReturns takes the only tab to another page and back. The page comes from the back/forward cache; its worker
// has ended meanwhile.
func TestSingleTabReturns(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, query string) {
		s := serve(t, "--market.rate", "300")
		b := openTab(t)
		b.visit(s.url + query)
		b.waitLive()
		b.run(`self.kept = true`)
		b.visit(s.url + "/healthz")
		s.waitTicks(900)
		b.back()
		b.until("the page was kept in the back/forward cache", `self.kept === true`)
		b.waitLive()
		b.logged("Reconnected in")
		ticksArrive(b)
		b.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0})
		s.streams(map[bool]int{true: 1}[strings.Contains(query, "sse")], map[bool]int{true: 1}[strings.Contains(query, "ws")])
		b.close()
		s.streams(0, 0)
	})
}

// TestWorkerThatCannotBeLoaded: when the worker can't be loaded, as after a deploy, each tab has its own connection.
func TestWorkerThatCannotBeLoaded(t *testing.T) {
	t.Parallel()
	s := serve(t)
	one := openTab(t)
	one.inject(`{ const { SharedWorker } = self; self.SharedWorker = class { constructor(url, options) { return new SharedWorker(self.trustedTypes.createPolicy('t' + Math.random(), { createScriptURL: (u) => u }).createScriptURL('/assets/worker-AAAAAAAA.js'), options); } } }`)
	one.visit(s.url + "/")
	one.waitLive()
	two := one.sibling()
	emulateFocus(one, two)
	two.inject(noSharedWorker)
	two.visit(s.url + "/")
	two.waitLive()
	s.streams(2, 0)
	ticksArrive(one, two)
	one.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
}

// TestSharedProtobuf shares a stream of protobuf messages, which each tab decodes.
func TestSharedProtobuf(t *testing.T) {
	t.Parallel()
	s := serve(t)
	one := openTab(t)
	one.visit(s.url + "/?lane=ws&encoding=protobuf")
	one.waitLive()
	two := one.sibling()
	emulateFocus(one, two)
	two.visit(s.url + "/?lane=ws&encoding=protobuf")
	two.waitLive()
	s.streams(0, 1)
	ticksArrive(one, two)
	two.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
	one.clean()
	two.clean()
}

// TestSharedTopics: the stream's topics are the union of the tabs' topics; closing a tab removes its own.
func TestSharedTopics(t *testing.T) {
	t.Parallel()
	s := serve(t, belowPath, "--market.rate", "300")
	one := openTab(t)
	one.size(390, 844) // a phone's page subscribes to what its list and its chart show
	one.visit(s.url + "/?symbol=AAPL&q=apple")
	one.waitLive()
	s.topics("sse", "AAPL")
	two := one.sibling()
	emulateFocus(one, two)
	two.visit(s.url + "/")
	two.waitLive()
	s.topics("sse", "*", "AAPL")
	two.size(390, 844)
	two.visit(s.url + "/?symbol=MSFT&q=visa")
	two.waitLive()
	s.topics("sse", "AAPL", "MSFT", "V")
	two.close()
	s.topics("sse", "AAPL")
	one.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
	one.clean()
}

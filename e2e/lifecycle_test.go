package e2e

import (
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// offline emulates that the device has no network, or has it again.
func (b *tab) offline(off bool) {
	b.t.Helper()
	b.call(chromedp.Call(b.ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{
		Offline: off, DownloadThroughput: -1, UploadThroughput: -1,
	}))
	rules := []*network.Conditions{}
	if off {
		rules = append(rules, &network.Conditions{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
	}
	b.call(chromedp.Call(b.ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: rules}))
}

// TestOfflineAndBack: the page reports that the device is offline, and resumes without loss.
func TestOfflineAndBack(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, query string) {
		s := serve(t, "--stream.heartbeat", "1s")
		net := newProxy(t, s)
		b := openTab(t)
		b.inject(recorder)
		b.visit(net.url + query)
		b.waitLive()
		b.offline(true)
		net.set(refusing) // the emulation leaves open WebSockets alone
		b.state("offline", "^Offline$")
		b.logged("Device offline")
		b.until("the banner", `/This device is offline/.test(document.querySelector('#banner-text').textContent)`)
		net.set(passing)
		b.offline(false)
		b.state("live", "^Live$")
		b.logged("Device online")
		b.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0})
		b.noHoles()
	})
}

// back goes one step back in the tab's history. It doesn't wait for a load: a page from the back/forward cache has none.
func (b *tab) back() {
	b.t.Helper()
	h, err := chromedp.Call(b.ctx, page.GetNavigationHistory, noParams)
	b.call(h, err)
	b.call(chromedp.Call(b.ctx, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: h.Entries[h.CurrentIndex-1].ID}))
}

// TestBackAndForward: leaving the page closes the stream; returning from the back/forward cache resumes it.
func TestBackAndForward(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, query string) {
		s := serve(t)
		b := openTab(t)
		b.inject(noSharedWorker + recorder)
		b.visit(s.url + query)
		b.waitLive()
		b.run(`self.kept = true; addEventListener('pageshow', (e) => { self.cached = e.persisted })`)
		b.visit(s.url + "/healthz")
		s.streams(0, 0)
		b.back()
		b.until("the page was kept in the back/forward cache", `self.kept === true && self.cached === true`)
		b.waitLive()
		if query == "/?lane=sse" {
			s.streams(1, 0)
		} else {
			s.streams(0, 1)
		}
		b.logged("Reconnected in")
		b.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0})
		b.noHoles()
		b.clean()
	})
}

// TestFrozenTab: a tab that was frozen, with its timers, for several heartbeats resumes without loss.
func TestFrozenTab(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, query string) {
		s := serve(t, "--stream.heartbeat", "500ms", "--market.rate", "200")
		b := openTab(t)
		b.inject(recorder)
		b.visit(s.url + query)
		b.waitLive()
		b.call(chromedp.Call(b.ctx, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: page.SetWebLifecycleStateStateFrozen}))
		s.waitTicks(600) // 3 s
		b.call(chromedp.Call(b.ctx, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: page.SetWebLifecycleStateStateActive}))
		before := s.stats().Log.Head
		b.state("live", "^Live$")
		b.until("the ticks of the meantime", `[...self.recorder.seqs].at(-1) >= `+strconv.FormatUint(before, 10))
		b.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0})
		b.noHoles()
	})
}

// TestHiddenTab: a hidden tab stays connected and is right at once when it is visible again.
func TestHiddenTab(t *testing.T) {
	t.Parallel()
	s := serve(t, "--market.rate", "500")
	b := openTab(t)
	b.inject(recorder)
	b.visit(s.url + "/")
	b.waitLive()
	front, closeFront := chromedp.NewContext(b.ctx, chromedp.WithNewWindow(false))
	defer closeFront()
	b.call(chromedp.Run(front, chromedp.Navigate("about:blank")))
	b.call(chromedp.Call(front, page.BringToFront, noParams))
	b.until("hidden", `document.visibilityState === 'hidden'`)
	s.waitTicks(1000)
	closeFront()
	b.call(chromedp.Call(b.ctx, page.BringToFront, noParams))
	b.until("visible", `document.visibilityState === 'visible'`)
	b.state("live", "^Live$")
	s.stop()
	b.until("the page notices the end", `document.querySelector('#app').dataset.state !== 'live'`)
	b.until("every row shows its newest quote", `self.recorder.wrong().length === 0`)
	b.counters(map[string]int{"reconnects": 0, "lost": 0, "doubled": 0, "gaps": 0})
	b.noHoles()
}

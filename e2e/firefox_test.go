package e2e

import (
	"fmt"
	"image"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFirefox loads every page in Firefox, uses both lanes of the dashboard and of the comparison, inflates what they send, and
// signs in and out. With -pictures it keeps a screenshot of every page in two sizes.
func TestFirefox(t *testing.T) {
	t.Parallel()
	f := startFirefox(t)
	f.inflate(serveCompressed(t))
	s := serve(t, "--lab.enabled=true", "--stream.compress", "on", "--market.rate", "50")
	f.checkDashboard(s)
	f.checkPages(s)
	f.checkSignIn()
}

// inflate reads compressed streams of both lanes.
func (f *firefox) inflate(s *server) {
	f.t.Helper()
	b := f.openTab()
	b.visit(s.url + "/healthz")
	b.run(strings.ReplaceAll(collect, "ADDR", s.addr))
	got := eval[inflated](b, "self.seen")
	s.checkTicks("sse", got.SSE)
	s.checkTicks("ws", got.WS)
	b.closeTab()
	f.takeFaults() // a browser requests /favicon.ico for documents that aren't pages
}

// checkDashboard switches lanes in mid-stream and opens a second tab, which shares the connection. No tick is lost.
func (f *firefox) checkDashboard(s *server) {
	f.t.Helper()
	b := f.openTab()
	b.inject(violations)
	b.inject(recorder)
	b.visit(s.url + "/")
	b.waitLive()
	b.until("a drawn chart", drawn)
	b.until("history in the sparklines", `document.querySelectorAll('.rows .sparkcol path[d^=M]').length > 5`)
	b.ticksArrive()
	s.streams(1, 0)
	b.click("button[data-lane=ws]")
	s.streams(0, 1)
	b.logged("Switched SSE → WebSocket")
	b.ticksArrive()
	b.click("button[data-lane=sse]")
	s.streams(1, 0)
	b.logged("Switched WebSocket → SSE")
	b.ticksArrive()

	two := f.openTab()
	two.visit(s.url + "/")
	two.waitLive()
	two.ticksArrive()
	two.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
	s.streams(1, 0)
	two.closeTab()

	b.bringToFront()
	b.ticksArrive()
	b.counters(map[string]int{"switches": 2, "lost": 0, "doubled": 0, "gaps": 0, "reconnects": 0})
	if got := eval[struct{ Seqs, Holes int }](b, `({ Seqs: recorder.seqs.size, Holes: recorder.holes() })`); got.Seqs == 0 || got.Holes != 0 {
		f.t.Errorf("%d ticks received with %d gaps, want some without gaps", got.Seqs, got.Holes)
	}
	checkViolations(b)
	b.closeTab()
	s.streams(0, 0)
	f.checkFaults("/")
}

// checkPages loads every page. It has its content, is no wider than a phone's screen, and causes no error.
func (f *firefox) checkPages(s *server) {
	f.t.Helper()
	const live = `document.querySelector('#app')?.dataset.state === 'live' && ` + drawn
	const home = `document.querySelector('#state').textContent === 'connected' && document.querySelectorAll('#messages li').length >= 10`
	// An observer of the page has run when this one does, before the same frame is painted.
	const countEmptyFrames = `self.emptyFrames = 0;
		new ResizeObserver(() => { if (!document.querySelector('.rows .rowg')) self.emptyFrames++; }).observe(document.querySelector('#grid'));`
	b := f.openTab()
	b.inject(violations)
	for _, p := range []struct{ name, path, content string }{
		{"dashboard", "/", live},
		{"chinese", "/?lang=zh-CN", live + ` && document.documentElement.lang === 'zh-CN' && /[\u4e00-\u9fff]/.test(document.querySelector('nav').textContent)`},
		{"compare", "/compare", `/pairs/.test(document.querySelector('#running').textContent) && /bytes/.test(document.querySelector('#sentence').textContent)`},
		{"reports", "/reports", `/make load/.test(document.querySelector('#reports .empty-page').textContent)`},
		{"docs", "/docs", `document.querySelectorAll('#docs article').length > 20`},
		{"sse-home", "/sse/home?user=me&topics=AAPL,MSFT", home},
		{"ws-home", "/ws/home", home},
		{"error", "/nothing", `document.querySelector('main h1')`},
	} {
		b.visit(s.url + p.path)
		b.until(p.name, p.content)
		if p.name == "dashboard" {
			b.waitLive()
			b.run(countEmptyFrames)
		}
		b.checkSizes(p.name)
		if p.name == "dashboard" && eval[int](b, "self.emptyFrames") > 0 {
			f.t.Error("the watchlist has no rows while its width changes")
		}
		checkViolations(b)
		if p.name == "error" {
			f.checkFaults(p.path, `/nothing: status 404$`)
			continue
		}
		f.checkFaults(p.path, commandTooLate)
	}
}

// checkSizes shows the page on a phone and on a desktop: it isn't wider than the screen.
func (b *firefoxTab) checkSizes(name string) {
	b.t.Helper()
	for _, size := range []image.Point{{390, 844}, {1440, 900}} {
		b.size(size.X, size.Y)
		if wide := eval[int](b, "document.scrollingElement.scrollWidth"); wide > size.X {
			b.t.Errorf("%s at %d px is %d px wide", name, size.X, wide)
		}
		if *pictures != "" {
			b.until("painted", `new Promise((done) => setTimeout(done, 1000, true))`)
			picture := b.screenshot()
			checkScreenshot(b.t, picture, size)
			keep(b.t, *pictures, fmt.Sprintf("firefox-%s-%d", name, size.X), picture)
		}
	}
}

// checkSignIn signs in and out.
func (f *firefox) checkSignIn() {
	f.t.Helper()
	file := filepath.Join(f.t.TempDir(), "tokens.yaml")
	bob := newToken(f.t, file, "bob", "--read", "*")
	s := serveProvider(f.t, file)
	b := f.openTab()
	b.inject(violations)
	b.visit(s.url + "/sign-in")
	b.checkSizes("sign-in")
	signInAndOut(b, s, bob)
	checkViolations(b)
	b.closeTab()
	f.checkFaults("sign-in", signedOut)
}

// signedOut matches the answer to a request of a page whose user signs out at the same moment.
const signedOut = `/api/[a-z/]+: status 401$`

// commandTooLate matches the answer to a command or a question that the page before sent when its stream had been closed, as it was left.
const commandTooLate = `/(sse|ws)/connections/[0-9a-f]+: status 404$`

// checkFaults fails the test for everything that has gone wrong since the last call, except what matches one of expected.
func (f *firefox) checkFaults(when string, expected ...string) {
	f.t.Helper()
	for _, fault := range f.takeFaults() {
		if !slices.ContainsFunc(expected, func(e string) bool { return regexp.MustCompile(e).MatchString(fault) }) {
			f.t.Errorf("%s: %s", when, fault)
		}
	}
}

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// state waits until the page has this state and its text matches the pattern.
func (b *tab) state(name, pattern string) {
	b.t.Helper()
	b.until(fmt.Sprintf("state %s, %q", name, pattern),
		fmt.Sprintf(`document.querySelector('#app').dataset.state === '%s' && /%s/.test(document.querySelector('#state-text').textContent)`, name, pattern))
}

// waitDisconnected waits until the page has lost its stream. It then waits for its next attempt, or considers the server
// unreachable after several; the backoff is random, so either is right.
func (b *tab) waitDisconnected() {
	b.t.Helper()
	b.until("disconnected", `({ waiting: /^Reconnecting in \d/, unreachable: /^Server unreachable$/ })[document.querySelector('#app').dataset.state]?.test(document.querySelector('#state-text').textContent)`)
}

// bothLanes runs a test once for each lane. query selects the lane in the page's address.
func bothLanes(t *testing.T, test func(t *testing.T, query string)) {
	for _, lane := range []string{"sse", "ws"} {
		t.Run(lane, func(t *testing.T) {
			t.Parallel()
			test(t, "/?lane="+lane)
		})
	}
}

// noHoles fails the test if a seq is missing among those that the recorder has.
func (b *tab) noHoles() {
	b.t.Helper()
	if n := eval[int](b, "self.recorder.holes()"); n != 0 {
		b.t.Errorf("%d gaps in the seqs received", n)
	}
}

// TestServerRestart: the page resets its sequence and continues after the server was restarted.
func TestServerRestart(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, query string) {
		s := serve(t)
		net := newProxy(t, s)
		b := openTab(t)
		b.visit(net.url + query)
		b.waitLive()
		s.stop()
		b.logged("Connection lost: server shutting down")
		b.waitDisconnected()
		again := serve(t)
		net.setTarget(again)
		b.state("live", "^Live$")
		b.logged("Sequence reset; snapshot of 50 symbols")
		b.counters(map[string]int{"reconnects": 1, "lost": 0, "doubled": 0, "gaps": 0})
		again.waitTicks(20)
		b.until("quotes change", `document.querySelector('#rate').textContent > '0'`)
		b.counters(map[string]int{"lost": 0, "doubled": 0})
	})
}

// TestServerUnreachable: the page reports a server that it can't reach, with the time of its quotes and a button to retry.
func TestServerUnreachable(t *testing.T) {
	t.Parallel()
	s := serve(t)
	net := newProxy(t, s)
	b := openTab(t)
	b.visit(net.url)
	b.waitLive()
	net.set(refusing)
	b.state("unreachable", "^Server unreachable$")
	b.until("the banner", `!document.querySelector('#banner').hidden && /Server unreachable.*Quotes as of \d\d:\d\d:\d\d/.test(document.querySelector('#banner-text').textContent)`)
	b.until("stale figures", `document.querySelector('#app').hasAttribute('data-stale')`)
	net.set(passing)
	// By script: the page's own next attempt may come first and hide the button.
	b.run(`document.querySelector('#banner-action').click()`)
	b.state("live", "^Live$")
	b.until("no banner", `document.querySelector('#banner').hidden && !document.querySelector('#app').hasAttribute('data-stale')`)
	b.counters(map[string]int{"reconnects": 1, "lost": 0, "doubled": 0, "gaps": 0})
}

// TestCutConnection: the page resumes without loss after its connection was reset.
func TestCutConnection(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, query string) {
		s := serve(t, "--market.rate", "500")
		net := newProxy(t, s)
		b := openTab(t)
		b.inject(recorder)
		b.visit(net.url + query)
		b.waitLive()
		net.set(refusing)
		b.waitDisconnected()
		s.waitTicks(300)
		net.set(passing)
		b.state("live", "^Live$")
		b.until("the replay in the log", `/Reconnected in .*, [1-9][\d\s]* ticks replayed/.test(document.querySelector('#log').textContent)`)
		b.counters(map[string]int{"reconnects": 1, "lost": 0, "doubled": 0, "gaps": 0})
		b.noHoles()
	})
}

// TestSilentConnection: missing heartbeats reveal a connection that stays open but delivers nothing.
func TestSilentConnection(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, query string) {
		s := serve(t, "--stream.heartbeat", "2s", "--market.rate", "500")
		net := newProxy(t, s)
		b := openTab(t)
		b.inject(recorder)
		b.visit(net.url + query)
		b.waitLive()
		net.set(swallowing)
		b.logged("Connection lost: no data received")
		b.until("not live", `document.querySelector('#app').dataset.state !== 'live'`)
		net.set(passing)
		b.state("live", "^Live$")
		b.until("the replay in the log", `/Reconnected in .*, [1-9][\d\s]* ticks replayed/.test(document.querySelector('#log').textContent)`)
		b.counters(map[string]int{"reconnects": 1, "lost": 0, "doubled": 0, "gaps": 0})
		b.noHoles()
		s.streams(map[bool]int{true: 1}[strings.Contains(query, "sse")], map[bool]int{true: 1}[strings.Contains(query, "ws")])
	})
}

// TestGapIsReported: the page reports the exact number of ticks that the log no longer has, and its quotes are right.
func TestGapIsReported(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, query string) {
		s := serve(t, "--stream.log_size", "1024", "--market.rate", "1000", "--market.arrivals", "steady")
		net := newProxy(t, s)
		b := openTab(t)
		b.inject(recorder)
		b.visit(net.url + query)
		b.waitLive()
		net.set(refusing)
		s.waitTicks(2500)
		net.set(passing)
		b.state("live", "^Live$")
		b.logged("expired); snapshot received")
		s.stop()
		b.until("the page notices the end", `document.querySelector('#app').dataset.state !== 'live'`)
		// A page that is delayed for longer than the log lasts has more gaps. Together they are the ticks not received.
		gaps, missed := 0, 0
		for _, match := range regexp.MustCompile(`Missed ([\d\s\x{202f}]+) ticks?`).FindAllStringSubmatch(b.text("#log"), -1) {
			n, _ := strconv.Atoi(regexp.MustCompile(`\D`).ReplaceAllString(match[1], ""))
			gaps, missed = gaps+1, missed+n
		}
		if have := eval[int](b, "self.recorder.missing()"); have != missed || missed < 1400 {
			t.Errorf("the page reports %d gaps of %d ticks, and %d were not received", gaps, missed, have)
		}
		b.until("every row shows its newest quote", `self.recorder.wrong().length === 0`)
		b.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": gaps})
	})
}

// TestFullServer: while the server is full, the page says so, tries again at the server's times only, and shows no time of
// quotes that it doesn't have. It connects once there is room.
func TestFullServer(t *testing.T) {
	t.Parallel()
	bothLanes(t, func(t *testing.T, query string) {
		s := serve(t, "--limits.connections", "1")
		occupant, err := http.Get(s.url + "/sse/subscribe?topics=AAPL")
		if err != nil {
			t.Fatal(err)
		}
		defer occupant.Body.Close()
		b := openTab(t)
		began := time.Now() // before the first refusal
		b.visit(s.url + query)
		b.state("full", "^Server full$")
		b.until("a countdown", `/^Server full, next try in \d+\s+s\.$/.test(document.querySelector('#banner-text').textContent) && document.querySelector('#banner-action').hidden`)
		second := b.sibling() // through the worker it knows the time, and opens nothing before it
		second.visit(s.url + query)
		second.state("full", "^Server full$")
		if n := s.refused(); n > 1+int(time.Since(began)/(2*time.Second)) {
			t.Errorf("%d refused streams within %s: the page doesn't wait for the server's time, 2 s at least", n, time.Since(began))
		}
		occupant.Body.Close()
		second.waitLive()
		b.call(chromedp.Call(b.ctx, page.BringToFront, noParams)) // a hidden page paints nothing
		b.waitLive()
		b.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0})
	})
}

// refused returns how many streams the server has refused so far.
func (s *server) refused() int {
	s.t.Helper()
	resp, err := http.Get(s.url + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^ticklane_overloads_total (\d+)$`).FindSubmatch(text)
	if found == nil {
		s.t.Fatal("/metrics has no ticklane_overloads_total")
	}
	n, _ := strconv.Atoi(string(found[1]))
	return n
}

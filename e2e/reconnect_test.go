package e2e

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// state is what the bar says.
func (b *tab) state(name, text string) {
	b.t.Helper()
	b.until(fmt.Sprintf("state %s, %q", name, text),
		fmt.Sprintf(`document.querySelector('#app').dataset.state === '%s' && /%s/.test(document.querySelector('#state-text').textContent)`, name, text))
}

// away waits until the page has lost its stream: it waits for its next try, or has tried in vain so often that the server
// counts as gone. Which of the two is a matter of chance and of the moment.
func (b *tab) waitDisconnected() {
	b.t.Helper()
	b.until("away", `({ waiting: /^Reconnecting in \d/, gone: /^Server unreachable$/ })[document.querySelector('#app').dataset.state]?.test(document.querySelector('#state-text').textContent)`)
}

// bothLanes runs a test on a page that is live over one lane and then over the other.
func bothLanes(t *testing.T, test func(t *testing.T, query string)) {
	for _, lane := range []string{"sse", "ws"} {
		t.Run(lane, func(t *testing.T) {
			t.Parallel()
			test(t, "/?lane="+lane)
		})
	}
}

// all fails the test unless every tick since the page's start came over its connections.
func (b *tab) noHoles() {
	b.t.Helper()
	if n := eval[int](b, "self.recorder.holes()"); n != 0 {
		b.t.Errorf("%d holes in what came", n)
	}
}

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
		again.waitTicks(50)
		b.until("quotes move on", `document.querySelector('#rate').textContent > '0'`)
		b.counters(map[string]int{"lost": 0, "doubled": 0})
	})
}

// A server that stays away is told as such, with the time of the quotes and a way to try at once.
func TestServerGone(t *testing.T) {
	t.Parallel()
	s := serve(t)
	net := newProxy(t, s)
	b := openTab(t)
	b.visit(net.url)
	b.waitLive()
	net.set(refusing)
	b.state("gone", "^Server unreachable$")
	b.until("the banner", `!document.querySelector('#banner').hidden && /Server unreachable.*Quotes as of \d\d:\d\d:\d\d/.test(document.querySelector('#banner-text').textContent)`)
	b.until("old figures are grey", `document.querySelector('#app').hasAttribute('data-stale')`)
	net.set(passing)
	// By script, which needs no layout: the page's own next try may come first, and hide the button.
	b.run(`document.querySelector('#banner-do').click()`)
	b.state("live", "^Live$")
	b.until("the banner goes", `document.querySelector('#banner').hidden && !document.querySelector('#app').hasAttribute('data-stale')`)
	b.counters(map[string]int{"reconnects": 1, "lost": 0, "doubled": 0, "gaps": 0})
}

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
		b.until("the replay is told", `/Reconnected in .*, [1-9][\d\s]* ticks replayed/.test(document.querySelector('#log').textContent)`)
		b.counters(map[string]int{"reconnects": 1, "lost": 0, "doubled": 0, "gaps": 0})
		b.noHoles()
	})
}

// A dead network closes nothing: heartbeats tell.
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
		b.until("the replay is told", `/Reconnected in .*, [1-9][\d\s]* ticks replayed/.test(document.querySelector('#log').textContent)`)
		b.counters(map[string]int{"reconnects": 1, "lost": 0, "doubled": 0, "gaps": 0})
		b.noHoles()
		s.streams(map[bool]int{true: 1}[strings.Contains(query, "sse")], map[bool]int{true: 1}[strings.Contains(query, "ws")])
	})
}

// What the log no longer holds is told with its exact count, and the quotes are right all the same.
func TestGapIsTold(t *testing.T) {
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
		// A page that is held up for longer than the log lasts has gaps besides: each is told, and together they are what
		// didn't come.
		gaps, missed := 0, 0
		for _, told := range regexp.MustCompile(`Missed ([\d\s\x{202f}]+) ticks?`).FindAllStringSubmatch(b.text("#log"), -1) {
			n, _ := strconv.Atoi(regexp.MustCompile(`\D`).ReplaceAllString(told[1], ""))
			gaps, missed = gaps+1, missed+n
		}
		if have := eval[int](b, "self.recorder.missing()"); have != missed || missed < 1400 {
			t.Errorf("the page says of %d gaps that %d ticks were missed, and %d did not come", gaps, missed, have)
		}
		b.until("every row shows its newest quote", `self.recorder.wrong().length === 0`)
		b.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": gaps})
	})
}

//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"ticklane/internal/market/ingest"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

// send sends lines of a client to /api/ingest, until the server runs the feed. Each %d is replaced by the next number of the client's
// sequence, from 1.
func (p *process) send(t *testing.T, lines ...string) (r ingest.Result) {
	t.Helper()
	var body strings.Builder
	for i, l := range lines {
		fmt.Fprintf(&body, l+"\n", i+1)
	}
	testkit.Eventually(t, func() bool {
		resp, err := http.Post("http://"+p.addr+"/api/ingest?source=client", "application/x-ndjson", strings.NewReader(body.String()))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode == http.StatusServiceUnavailable {
			return false // no lease yet
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("status %d: %s, %v", resp.StatusCode, text, err)
		}
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		return true
	}, "lines accepted")
	return r
}

// symbols returns the number of symbols that the server knows.
func (p *process) symbols(t *testing.T) int {
	t.Helper()
	var answer struct{ Symbols []json.RawMessage }
	p.getJSON(t, "/api/symbols", &answer)
	return len(answer.Symbols)
}

// TestKilledFeedGoesOn: lines that were accepted survive kill -9: their instruments, their numbers, so that sending them again changes
// nothing, and their ticks, which a client of either lane gets once.
func TestKilledFeedGoesOn(t *testing.T) {
	t.Parallel()
	args := []string{"--bus.kind=nats", "--data.dir=" + t.TempDir(), "--feed.source=ingest"}
	var lines []string
	follow := map[string]func(*testing.T, string, string) *follower{"sse": followSSE, "ws": followWS}
	epoch := ""
	for round := range 3 {
		p := startServer(t, args...)
		if n := p.symbols(t); n != round {
			t.Errorf("round %d: %d symbols", round, n)
		}
		last, all := uint64(100*round), map[string]*follower{}
		for lane, open := range follow {
			query := ""
			if round > 0 {
				query = fmt.Sprintf("?from=%s-%d", epoch, last)
			}
			f := open(t, p.addr, query)
			f.last = last
			now, head := f.begin(t)
			if round > 0 && now != epoch || head != last {
				t.Fatalf("%s: the log ends with %s-%d: want %s-%d", lane, now, head, epoch, last)
			}
			epoch, all[lane] = now, f
		}
		before := len(lines)
		lines = append(lines, fmt.Sprintf(`{"T":"instrument","S":"S%d","n":%%d}`, round))
		for i := range 100 {
			lines = append(lines, fmt.Sprintf(`{"T":"q","S":"S%d","bp":%d,"ap":%d,"n":%%d}`, round, i+1, i+2))
		}
		if r := p.send(t, lines...); r.Accepted != 101 || int(r.Duplicates) != before || int(r.Last) != len(lines) || r.Rejected > 0 {
			t.Fatalf("round %d: %+v", round, r)
		}
		for _, f := range all {
			testkit.Eventually(t, func() bool { return f.reached(t, last+100) }, "ticks")
		}
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lane, f := range all {
			if end := f.end(t); end != last+100 || f.gaps > 0 {
				t.Errorf("%s: %d ticks, %d gaps", lane, end, f.gaps)
			}
		}
		_ = p.Wait()
	}
}

// TestFeedOfTwoServers: what is sent to the server that runs the feed is served by the other, which takes over when it ends.
func TestFeedOfTwoServers(t *testing.T) {
	t.Parallel()
	args := []string{"--bus.kind=nats", "--feed.source=ingest", "--bus.nats.url=" + natstest.New(t, nil).URL()}
	a := startServer(t, args...)
	lines := []string{`{"T":"instrument","S":"A","n":%d}`, `{"T":"q","S":"A","bp":1,"ap":2,"n":%d}`}
	if r := a.send(t, lines...); r.Accepted != 2 {
		t.Fatalf("%+v", r)
	}
	b := startServer(t, args...)
	if n := b.symbols(t); n != 1 {
		t.Errorf("%d symbols", n)
	}
	f := followWS(t, b.addr, "")
	f.last = 1
	if _, head := f.begin(t); head != 1 {
		t.Errorf("head %d", head)
	}
	lines = append(lines, `{"T":"instrument","S":"B","n":%d}`, `{"T":"q","S":"B","bp":1,"ap":2,"n":%d}`)
	if r := a.send(t, lines...); r.Accepted != 2 || r.Duplicates != 2 {
		t.Errorf("%+v", r)
	}
	testkit.Eventually(t, func() bool { return f.reached(t, 2) }, "ticks")
	a.signal(t, syscall.SIGTERM)
	if err := a.Wait(); err != nil {
		t.Error(err)
	}
	lines = append(lines, `{"T":"q","S":"B","bp":2,"ap":3,"n":%d}`)
	if r := b.send(t, lines...); r.Accepted != 1 || r.Duplicates != 4 {
		t.Errorf("%+v", r)
	}
	testkit.Eventually(t, func() bool { return f.reached(t, 3) }, "ticks")
}

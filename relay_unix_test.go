//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"golang.org/x/sync/errgroup"

	"ticklane/internal/market/ingest"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

// TestRateOfTheLab: the rate that the lab sets on one server is that of all, and of the next that runs the market.
func TestRateOfTheLab(t *testing.T) {
	t.Parallel()
	args := []string{"--bus.kind=nats", "--bus.nats.url=" + natstest.New(t, nil).URL(), "--lab.enabled"}
	writer := startServer(t, append(args, "--bus.node=a")...)
	reader := startServer(t, append(args, "--bus.node=b")...)
	rate := func(p *process, want float64) {
		t.Helper()
		testkit.Eventually(t, func() bool {
			_, state := request(t, http.MethodGet, p, "/api/lab", "")
			return strings.Contains(state, fmt.Sprintf(`"rate":%g,`, want)) || strings.Contains(state, fmt.Sprintf(`"rate":%g}`, want))
		}, "the rate on ", p.addr)
	}
	for _, p := range []*process{reader, writer} {
		rate(p, 100)
	}
	sameFeed(t, writer, reader)
	if status, text := request(t, http.MethodPost, reader, "/api/lab/rate", `{"rate":3000}`); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	for _, p := range []*process{reader, writer} {
		rate(p, 3000)
	}
	writer.signal(t, syscall.SIGTERM)
	f := followSSE(t, reader.addr, "")
	_, head := f.begin(t)
	testkit.Eventually(t, func() bool { return f.reached(t, head+1000) }, "ticks of the next server")
	rate(reader, 3000)
}

// sameFeed checks that two servers report the same feed, with the same symbols.
func sameFeed(t *testing.T, a, b *process) {
	t.Helper()
	report := func(p *process) (text string) {
		for _, of := range [][2]string{{"/api/stats", "feed"}, {"/api/symbols", "symbols"}} {
			path, member := of[0], of[1]
			_, answer := request(t, http.MethodGet, p, path, "")
			var all map[string]json.RawMessage
			if err := json.Unmarshal([]byte(answer), &all); err != nil || all[member] == nil {
				t.Fatalf("%s: %v: %s", path, err, answer)
			}
			text += string(all[member])
		}
		return text
	}
	if x, y := report(a), report(b); x != y {
		t.Errorf("one server has\n%s\nthe other\n%s", x, y)
	}
}

// request sends a request with a JSON body, and returns its answer.
func request(t *testing.T, method string, p *process, path, body string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// TestFeedThroughTheReader: lines are sent to a server that doesn't run the feed, by HTTP and by WebSocket, and the one that does is
// killed. The clients send again what was not acknowledged; every line is on the streams of both lanes once.
func TestFeedThroughTheReader(t *testing.T) {
	t.Parallel()
	url := natstest.New(t, nil).URL()
	args := []string{"--bus.kind=nats", "--feed.source=ingest", "--bus.nats.url=" + url}
	writer := startServer(t, append(args, "--bus.node=a")...)
	writer.send(t, `{"T":"instrument","S":"A","n":%d}`)
	reader := startServer(t, append(args, "--bus.node=b")...)
	all := []*follower{followSSE(t, reader.addr, ""), followWS(t, reader.addr, "")}
	for _, f := range all {
		f.begin(t)
	}
	sameFeed(t, writer, reader)
	const batch, batches = 20, 50
	var sent atomic.Int64 // batches
	var senders errgroup.Group
	senders.Go(func() error { return sendByHTTP(t.Context(), reader.addr, batch, batches, &sent) })
	senders.Go(func() error { return sendByWebSocket(t.Context(), reader.addr, batch, batches, &sent) })
	testkit.Eventually(t, func() bool { return sent.Load() >= batches/2 }, "the first lines")
	if err := writer.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	endLease(t, url)
	if err := senders.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{"http", "ws"} {
		if status, text := request(t, http.MethodGet, reader, "/api/ingest?source="+source, ""); status != 200 || !strings.Contains(text, `"holes":[],"last":1000,`) {
			t.Errorf("%d %s", status, text)
		}
	}
	for _, f := range all {
		testkit.Eventually(t, func() bool { return f.reached(t, 2*batch*batches) }, "all ticks")
	}
	reader.send(t, `{"T":"instrument","S":"A","n":%d}`, `{"T":"q","S":"A","p":1,"n":%d}`)
	for _, f := range all {
		testkit.Eventually(t, func() bool { return f.reached(t, 2*batch*batches+1) }, "the last tick")
		f.mu.Lock()
		if f.gaps > 0 || f.last != 2*batch*batches+1 {
			t.Errorf("%d ticks, %d gaps", f.last, f.gaps)
		}
		f.mu.Unlock()
	}
}

// endLease ends the lease of a server that was killed, which otherwise takes seconds.
func endLease(t *testing.T, url string) {
	t.Helper()
	kv, err := natstest.JetStream(t, url).KeyValue(t.Context(), "ticklane_lease")
	if err == nil {
		err = kv.Delete(t.Context(), "writer")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// numbered returns lines of quotes with numbers from one on.
func numbered(from uint64, lines int) string {
	var b strings.Builder
	for n := from; n < from+uint64(lines); n++ {
		fmt.Fprintf(&b, `{"T":"q","S":"A","p":%d,"n":%d}`+"\n", n, n)
	}
	return b.String()
}

// sendByHTTP sends batches of lines, each again until it is accepted.
func sendByHTTP(ctx context.Context, addr string, lines, batches int, sent *atomic.Int64) error {
	for i := 0; i < batches; {
		body := strings.NewReader(numbered(uint64(i*lines+1), lines))
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/api/ingest?source=http", body)
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/x-ndjson")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		var result ingest.Result
		err = json.NewDecoder(answer.Body).Decode(&result)
		answer.Body.Close()
		switch {
		case err != nil:
			return err
		case answer.StatusCode == http.StatusServiceUnavailable: // again
		case answer.StatusCode != http.StatusOK || result.Rejected > 0 || result.Accepted+result.Duplicates != uint64(lines):
			return fmt.Errorf("status %d: %+v", answer.StatusCode, result)
		default:
			i++
			sent.Add(1)
		}
	}
	return nil
}

// sendByWebSocket sends batches of lines as messages. On each connection it continues after what the server has.
func sendByWebSocket(ctx context.Context, addr string, lines, batches int, sent *atomic.Int64) error {
	for last := uint64(0); last < uint64(lines*batches); {
		nc, buffered, _, err := ws.Dial(ctx, "ws://"+addr+"/ws/ingest?source=ws")
		if err != nil {
			return err
		}
		var in io.Reader = nc
		if buffered != nil { // the first acknowledgement
			in = io.MultiReader(buffered, nc)
		}
		for last < uint64(lines*batches) {
			head, err := ws.ReadHeader(in)
			if err != nil || head.Length > 1<<16 {
				return fmt.Errorf("%d bytes: %w", head.Length, err)
			}
			payload := make([]byte, head.Length)
			if _, err := io.ReadFull(in, payload); err != nil {
				return err
			}
			if head.OpCode == ws.OpClose {
				if code, reason := ws.ParseCloseFrameData(payload); code != 1013 {
					return fmt.Errorf("closed with %d %s", code, reason)
				}
				break // reconnect
			}
			var result ingest.Result
			if err := json.Unmarshal(payload, &result); err != nil || result.Rejected > 0 {
				return fmt.Errorf("%w: %s", err, payload)
			}
			if last = result.Last; last < uint64(lines*batches) {
				if err := wsutil.WriteClientText(nc, []byte(numbered(last+1, lines))); err != nil {
					return err
				}
			}
			sent.Add(1)
		}
		nc.Close()
	}
	return nil
}

// TestLongLineToAnyServer: a line that is longer than a server accepts is refused with that reason, also by a server that doesn't run the feed,
// whatever the limit of the one that does.
func TestLongLineToAnyServer(t *testing.T) {
	t.Parallel()
	args := []string{"--bus.kind=nats", "--feed.source=ingest", "--bus.nats.url=" + natstest.New(t, nil).URL()}
	sizes := map[string]int{"a": 2000, "b": 1000, "c": 3000}
	var all []*process
	for _, name := range []string{"a", "b", "c"} {
		all = append(all, startServer(t, append(args, "--bus.node="+name, fmt.Sprintf("--feed.ingest.line_size=%d", sizes[name]), fmt.Sprintf("--bus.lead=%t", name == "a"))...))
	}
	all[0].send(t, `{"T":"instrument","S":"A","n":%d}`)
	line := func(size int) string {
		const start, end = `{"T":"q","S":"A","p":1`, "}\n"
		return start + strings.Repeat(" ", size-len(start)-len(end)+1) + end
	}
	for i, name := range []string{"a", "b", "c"} {
		size := min(sizes[name], sizes["a"]) // the writer's counts, too
		answer, err := http.Post("http://"+all[i].addr+"/api/ingest", "application/x-ndjson", strings.NewReader(line(size)+line(size+1)+line(5000)))
		if err != nil {
			t.Fatal(err)
		}
		var result ingest.Result
		err = json.NewDecoder(answer.Body).Decode(&result)
		answer.Body.Close()
		if err != nil || result.Accepted != 1 || result.Rejected != 2 || len(result.Errors) != 2 {
			t.Fatalf("%s: %v: %+v", name, err, result)
		}
		for n, e := range result.Errors {
			want := ingest.LineError{Line: uint64(n + 2), Reason: fmt.Sprintf("longer than feed.ingest.line_size, %d bytes", size)}
			if e != want {
				t.Errorf("%s: %+v, want %+v", name, e, want)
			}
		}
	}
}

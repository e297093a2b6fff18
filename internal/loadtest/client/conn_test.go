package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// testRecorder counts what a connection records.
type testRecorder struct {
	sync.Mutex
	live, replayed, bytes, messages int
}

func (r *testRecorder) Tick(live bool, _ int64) {
	if live {
		r.live++
	} else {
		r.replayed++
	}
}

func (r *testRecorder) Read(bytes, messages int, _ int64) {
	r.bytes += bytes
	r.messages += messages
}

// newTestConn returns a client of a server with this handler, for the unfiltered stream of a lane.
func newTestConn(t *testing.T, lane wire.Lane, h http.HandlerFunc) (*Conn, *testRecorder) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	rec := &testRecorder{}
	request := &Request{Lane: lane, Encoding: JSON, Query: url.Values{"topics": {"*"}, "mode": {"all"}}}
	return New(&Server{URL: u, Symbols: map[string]int{"AAPL": 0}}, request, rec, Options{}), rec
}

// sendEvents writes events without ids.
func sendEvents(w http.ResponseWriter, texts ...string) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, text := range texts {
		fmt.Fprintf(w, "data: %s\n\n", text)
	}
	w.(http.Flusher).Flush()
}

func TestOpenRejects(t *testing.T) {
	for _, c := range []struct {
		name    string
		lane    wire.Lane
		handler http.HandlerFunc
		want    string
	}{
		{"a problem", wire.WS, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"detail":"Origin: not from here."}`)
		}, "the upgrade to WebSocket was refused: status 403 Forbidden: Origin: not from here."},
		{"another status", wire.WS, http.NotFound, "the upgrade to WebSocket was refused: status 404"},
		{"another key", wire.WS, func(w http.ResponseWriter, _ *http.Request) {
			nc, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer nc.Close()
			rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n")
			rw.Flush()
		}, "Sec-WebSocket-Accept"},
		{"not an event stream", wire.SSE, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hi") }, "not text/event-stream"},
		{"another event stream", wire.SSE, func(w http.ResponseWriter, _ *http.Request) { sendEvents(w, "hi") }, ErrMalformed.Error()},
		{"ticks without a hello", wire.SSE, func(w http.ResponseWriter, _ *http.Request) { sendEvents(w, goldenTick) }, ErrNoHello.Error()},
		{"an end before the hello", wire.SSE, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/event-stream") }, ErrEnded.Error()},
		{"another lane", wire.SSE, func(w http.ResponseWriter, r *http.Request) {
			sendEvents(w, strings.Replace(helloAt(9, "none"), `"sse"`, `"ws"`, 1))
			<-r.Context().Done()
		}, `asked for lane sse, got "ws"`},
		{"another mode", wire.SSE, func(w http.ResponseWriter, r *http.Request) {
			sendEvents(w, strings.Replace(helloAt(9, "none"), `"all"`, `"latest"`, 1))
			<-r.Context().Done()
		}, `--mode: asked for all, got "latest"`},
		{"a bye", wire.SSE, func(w http.ResponseWriter, _ *http.Request) {
			sendEvents(w, `{"T":"bye","reason":"shutdown","retry":1000}`)
		}, "the server refused a stream: shutdown"},
	} {
		conn, _ := newTestConn(t, c.lane, c.handler)
		if err := conn.Open(t.Context(), ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
}

// TestConnResumes reads to the end of a stream, resumes and stops.
func TestConnResumes(t *testing.T) {
	from, opened := make(chan string, 2), make(chan struct{})
	conn, rec := newTestConn(t, wire.SSE, func(w http.ResponseWriter, r *http.Request) {
		from <- r.Header.Get("Last-Event-ID")
		if len(r.Header.Get("Last-Event-ID")) == 0 {
			sendEvents(w, helloAt(9, "none"), snapshotAt(9))
			<-opened
			sendEvents(w, tickAt(10), tickAt(11))
			return
		}
		sendEvents(w, helloAt(12, "complete"), tickAt(12), tickAt(13))
		<-r.Context().Done()
	})
	if err := conn.Open(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	close(opened)
	if err := conn.Read(); !errors.Is(err, ErrEnded) || conn.Position() != "ab-11" || rec.live != 2 {
		t.Fatalf("%v at %s, %+v", err, conn.Position(), rec)
	}
	if err := conn.Open(t.Context(), conn.Position()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- conn.Read() }()
	testkit.Eventually(t, func() bool { return conn.Behind(Heads{Seq: 13}) == 0 }, "the ticks to arrive")
	conn.Stop()
	conn.Stop()
	if err := <-ended; !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	if a, b := <-from, <-from; a != "" || b != "ab-11" {
		t.Errorf("positions %q and %q", a, b)
	}
	if got := conn.Counts(); got != (Counts{}) || rec.live != 3 || rec.replayed != 1 || rec.messages != 7 || conn.CaughtUpAt().Before(conn.OpenedAt()) {
		t.Errorf("%+v, %+v", got, rec)
	}
	if err := conn.Open(t.Context(), ""); !errors.Is(err, ErrStopped) {
		t.Errorf("open after a stop: %v", err)
	}
}

// TestOpenEndsWithItsContext: a server that never responds doesn't block Open.
func TestOpenEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	conn, _ := newTestConn(t, wire.SSE, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if err := conn.Open(ctx, ""); err == nil {
		t.Error("opened")
	}
}

// TestCutAfter: the connection is cut at exactly this byte of the stream.
func TestCutAfter(t *testing.T) {
	conn, rec := newTestConn(t, wire.SSE, func(w http.ResponseWriter, r *http.Request) {
		sendEvents(w, helloAt(9, "none"), tickAt(10))
		<-r.Context().Done()
	})
	conn.CutAfter(20, true)
	if err := conn.Open(t.Context(), ""); !errors.Is(err, ErrCut) || rec.bytes != 20 || conn.Greeted() {
		t.Errorf("%v after %d bytes", err, rec.bytes)
	}
}

// TestCutAfterFirstPosition: without opening, bytes count from the first position on.
func TestCutAfterFirstPosition(t *testing.T) {
	opened := make(chan struct{})
	conn, rec := newTestConn(t, wire.SSE, func(w http.ResponseWriter, r *http.Request) {
		sendEvents(w, helloAt(9, "none"))
		<-opened
		sendEvents(w, tickAt(10))
		<-r.Context().Done()
	})
	conn.CutAfter(20, false)
	if err := conn.Open(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	hello := rec.bytes
	close(opened)
	if err := conn.Read(); !errors.Is(err, ErrCut) || rec.bytes != hello+20 {
		t.Errorf("%v after %d bytes, the hello had %d", err, rec.bytes, hello)
	}
}

func tickAt(seq int) string {
	return fmt.Sprintf(`{"T":"q","S":"AAPL","t":1,"n":%d,"i":%d}`, seq, seq)
}

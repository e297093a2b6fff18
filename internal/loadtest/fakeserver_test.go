package loadtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// startFakeServer starts a server with the API of Ticklane and an SSE stream that the test writes.
func startFakeServer(t testing.TB, sse http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	for path, body := range map[string]string{
		"/api/stats":   `{"process":{"cpu_seconds":1,"rss_bytes":1},"log":{"epoch":"ab","head":9,"oldest":1},"lanes":{"sse":{},"ws":{}},"version":"x"}`,
		"/api/symbols": `{"symbols":[{"symbol":"A"}]}`, "/api/quotes": snapshotAt(9),
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
	}
	mux.HandleFunc("/sse/subscribe", sse)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// fakeStream writes an event stream.
type fakeStream struct {
	w     http.ResponseWriter
	r     *http.Request
	epoch string
	pace  *time.Ticker
}

// newFakeStream starts a response. tick then waits for the interval before each tick. The caller calls close.
func newFakeStream(w http.ResponseWriter, r *http.Request, interval time.Duration) *fakeStream {
	w.Header().Set("Content-Type", "text/event-stream")
	return &fakeStream{w: w, r: r, epoch: "ab", pace: time.NewTicker(interval)}
}

func (s *fakeStream) close() { s.pace.Stop() }

func (s *fakeStream) send(seq int, text string) {
	fmt.Fprintf(s.w, "data: %s\nid: %s-%d\n\n", text, s.epoch, seq)
	s.w.(http.Flusher).Flush()
}

func (s *fakeStream) hello(head int, resume string) {
	s.send(head, strings.Replace(helloAt(head, resume), `"ab"`, `"`+s.epoch+`"`, 1))
}

// tick sends a tick that is due now, and reports whether the client is still there.
func (s *fakeStream) tick(seq int) bool {
	select {
	case <-s.pace.C:
	case <-s.r.Context().Done():
		return false
	}
	s.send(seq, fmt.Sprintf(`{"T":"q","S":"A","t":%d,"n":%d,"i":%d}`, time.Now().UnixMicro(), seq, seq))
	return true
}

// cycleOf returns an SSE handler that sends a hello, then ticks with these seqs again and again, each time step further.
func cycleOf(step int, seqs ...int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s := newFakeStream(w, r, 5*time.Millisecond)
		defer s.close()
		s.hello(9, "none")
		for base := 9; ; base += step {
			for _, k := range seqs {
				if !s.tick(base + k) {
					return
				}
			}
		}
	}
}

func helloAt(head int, resume string) string {
	return fmt.Sprintf(`{"T":"hello","lane":"sse","engine":"stream","epoch":"ab","head":%d,"oldest":1,"resume":%q,"mode":"all","topics":["*"],"hb":15000,"t":1}`, head, resume)
}

func snapshotAt(seq int) string {
	return fmt.Sprintf(`{"T":"snapshot","i":%d,"quotes":[]}`, seq)
}

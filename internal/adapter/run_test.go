package adapter

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ticklane/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func validJSON(text string) bool { return json.Valid([]byte(text)) }

// exchange is a fake of Binance. Each connection sends some trades and is then cut.
type exchange struct {
	*httptest.Server
	mu   sync.Mutex
	next uint64 // id of the next trade
	most uint64
}

func newExchange(t *testing.T, most uint64) *exchange {
	x := &exchange{next: 1, most: most}
	x.Server = httptest.NewServer(http.HandlerFunc(x.serve))
	t.Cleanup(x.Close)
	return x
}

func (x *exchange) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/api/v3/") {
		io.WriteString(w, `{"symbols":[{"symbol":"A","baseAsset":"A","quoteAsset":"USD","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.01"},{"filterType":"LOT_SIZE","stepSize":"1"}]}]}`)
		return
	}
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	for range 40 {
		x.mu.Lock()
		id := x.next
		if x.next <= x.most {
			x.next++
			if id == 50 {
				x.next += 3 // trades that the exchange doesn't send
			}
		}
		x.mu.Unlock()
		if id > x.most {
			c.Read(context.Background()) // until the client closes
			return
		}
		m := fmt.Sprintf(`{"stream":"a@trade","data":{"s":"A","t":%d,"p":"%d.50","q":"1","T":1672515782134}}`, id, id)
		if c.Write(r.Context(), websocket.MessageText, []byte(m)) != nil {
			return
		}
	}
}

// ingest is a fake of the server: it applies each number of a source once, and cuts bodies at random places.
type ingest struct {
	*httptest.Server
	mu      sync.Mutex
	last    uint64
	trades  []string
	before  []string // those before the restart
	posts   int
	restart int // after so many trades: cut the connection and forget everything; 0 for never
	status  int // instead of an answer
	token   string
}

func newIngest(t *testing.T) *ingest {
	s := &ingest{}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *ingest) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.restart < 0 {
		s.last, s.restart = 0, 0
		s.before, s.trades = s.trades, nil
	}
	status, token := s.status, s.token
	s.mu.Unlock()
	switch {
	case status != 0:
		w.WriteHeader(status)
		return
	case token != "" && r.Header.Get("Authorization") != "Bearer "+token:
		w.WriteHeader(http.StatusUnauthorized)
		return
	case r.URL.Path != "/api/ingest" || r.URL.Query().Get("source") != "test":
		w.WriteHeader(http.StatusBadRequest)
		return
	case r.Method == http.MethodPost:
		s.mu.Lock()
		s.posts++
		cut := 0
		if s.posts%3 != 0 {
			cut = 7 * s.posts
		}
		s.mu.Unlock()
		for lines := bufio.NewScanner(r.Body); lines.Scan(); {
			s.line(lines.Bytes())
			if cut--; cut == 0 || s.restartDue() {
				panic(http.ErrAbortHandler) // cuts the connection without an answer
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(w, `{"accepted":1,"rejected":1,"last":%d,"errors":[{"line":1,"field":"bp","reason":"odd"}]}`, s.last)
}

func (s *ingest) line(text []byte) {
	var l struct {
		T    string
		Time int64       `json:"t"`
		P    json.Number `json:"p"`
		N    uint64      `json:"n"`
	}
	if err := json.Unmarshal(text, &l); err != nil {
		panic(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.T != "trade" || l.N <= s.last {
		return
	}
	if l.N != s.last+1 {
		s.trades = append(s.trades, fmt.Sprintf("hole %d to %d", s.last, l.N))
	}
	s.last = l.N
	s.trades = append(s.trades, string(l.P))
}

func (s *ingest) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.before) + len(s.trades)
}

// restartDue reports whether the server is to be restarted, once.
func (s *ingest) restartDue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.restart <= 0 || len(s.trades) < s.restart {
		return false
	}
	s.restart = -1
	return true
}

func (s *ingest) newest() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.trades) == 0 {
		return ""
	}
	return s.trades[len(s.trades)-1]
}

func options(x *exchange, s *ingest, log io.Writer) Options {
	return Options{
		Feed: &Binance{Names: []string{"A"}, REST: x.URL}, Address: "ws" + strings.TrimPrefix(x.URL, "http"), Server: s.URL, Source: "test",
		Log: slog.New(slog.NewTextHandler(log, nil)), wait: backoff{first: 4 * time.Millisecond}, span: 30 * time.Millisecond,
	}
}

// TestEachTradeArrivesOnce cuts the exchange and the server again and again, and restarts the server once.
func TestEachTradeArrivesOnce(t *testing.T) {
	const most = 500
	x, s := newExchange(t, most), newIngest(t)
	s.restart = most / 2
	var log testkit.Log
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- Run(ctx, options(x, s, &log)) }()
	testkit.Eventually(t, func() bool { return s.newest() == "500.5" }, "all trades")
	stop()
	if err := <-done; err != nil {
		t.Fatalf("Run: %v", err)
	}
	var want []string
	for id := 1; id <= most; id++ {
		if id < 51 || id > 53 {
			want = append(want, fmt.Sprintf("%d.5", id))
		}
	}
	// The restarted server gets again what the one before had not confirmed.
	n := len(s.before)
	again := n + len(s.trades) - len(want)
	if n == 0 || again < 0 || again > n || !slices.Equal(s.before, want[:n]) || !slices.Equal(s.trades, want[n-again:]) {
		t.Errorf("trades %s, and after the restart %s\nwant each once", s.before, s.trades)
	}
	for _, text := range []string{`msg="gap in the feed" symbol=A after=50 before=54 missed=3`, `msg="feed disconnected"`, `msg="server unreachable, lines are kept"`, `msg="lines rejected by the server" rejected=1 accepted=1 first="bp: odd"`} {
		if !strings.Contains(log.String(), text) {
			t.Errorf("the log lacks %s", text)
		}
	}
}

func TestLastLinesAreSentAtTheEnd(t *testing.T) {
	x, s := newExchange(t, 30), newIngest(t)
	s.posts = 2 // the next body is not cut
	ctx, stop := context.WithCancel(context.Background())
	o := options(x, s, io.Discard)
	o.span = time.Hour
	done := make(chan error, 1)
	go func() { done <- Run(ctx, o) }()
	testkit.Eventually(t, func() bool { return s.count() == 30 }, "lines come at once, in a body that goes on")
	stop()
	if err := <-done; err != nil {
		t.Fatalf("Run: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	x, s := newExchange(t, 30), newIngest(t)
	s.token = "secret"
	o := options(x, s, io.Discard)
	o.Token = "wrong"
	if err := Run(context.Background(), o); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "401") {
		t.Errorf("a wrong token: %v, want ErrRefused with 401", err)
	}
	o = options(x, s, io.Discard)
	o.Feed = &Binance{Names: []string{"A"}, REST: s.URL}
	if err := Run(context.Background(), o); !errors.Is(err, ErrRefused) {
		t.Errorf("a refused list of instruments: %v, want ErrRefused", err)
	}
	o = options(x, s, io.Discard)
	o.Address = "ws" + strings.TrimPrefix(s.URL, "http")
	if err := Run(context.Background(), o); !errors.Is(err, ErrRefused) {
		t.Errorf("a refused WebSocket: %v, want ErrRefused", err)
	}
}

func TestLinesAreDroppedWhenTooManyWait(t *testing.T) {
	var log testkit.Log
	s := &sender{log: slog.New(slog.NewTextHandler(&log, nil)), kept: 3, notify: make(chan struct{}, 1), next: 1}
	s.add([][]byte{[]byte(`{"a":1`), []byte(`{"a":2`)})
	s.add([][]byte{[]byte(`{"a":3`), []byte(`{"a":4`), []byte(`{"a":5`)})
	b, last, more := s.appendAfter(nil, 0)
	if got, want := string(b), "{\"a\":3,\"n\":1}\n{\"a\":4,\"n\":2}\n{\"a\":5,\"n\":3}\n"; got != want || last != 3 || more {
		t.Errorf("lines %q up to %d, want %q up to 3", got, last, want)
	}
	if !strings.Contains(log.String(), "lines=2") {
		t.Errorf("log %q, want the number of dropped lines", log.String())
	}
}

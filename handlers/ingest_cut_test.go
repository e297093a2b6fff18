package handlers_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"

	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
)

// TestCutFeeds: clients that send a feed are cut at random places, by FIN or RST, in bodies with and without a length and in
// WebSockets, and reconnect after what the server says it has. On the streams of both lanes every line is once, in order.
func TestCutFeeds(t *testing.T) { onEngines(t, testCutFeeds) }

func testCutFeeds(t *testing.T, engine string) {
	cuts := 100
	if testkit.Stress() {
		cuts = 1000
	}
	f := newFeedServer(t, engine, nil)
	r := testkit.Rand(t)
	seeds := []uint64{r.Uint64(), r.Uint64()}
	streams := []*testserver.Client{f.SSE("topics=A,B"), f.WS("topics=sector:x")}
	var senders, readers sync.WaitGroup
	last := make([]uint64, 2) // of each sender
	all := make([]*cutSender, 2)
	for i, symbol := range []string{"A", "B"} {
		all[i] = &cutSender{feedServer: f, r: rand.New(rand.NewPCG(seeds[i], 0)), source: "client-" + symbol, symbol: symbol}
		senders.Go(func() {
			for range cuts {
				all[i].sendAndCut()
			}
		})
	}
	const end = 0.5 // the price of the last tick
	got := make([]map[string]uint64, len(streams))
	for i, stream := range streams {
		got[i] = map[string]uint64{}
		readers.Go(func() {
			for {
				m, err := stream.Read()
				if err != nil {
					t.Error(err)
					return
				}
				if m.T != "q" {
					continue
				}
				// The price of a line is its number, and n counts the ticks of its symbol.
				var q struct{ P float64 }
				if err := json.Unmarshal([]byte(m.Text), &q); err != nil || q.P == end {
					return
				}
				if uint64(q.P) != m.N || m.N != got[i][m.S]+1 {
					t.Errorf("%s after %d", m.Text, got[i][m.S])
					return
				}
				got[i][m.S] = m.N
			}
		})
	}
	senders.Wait()
	// What was sent before a cut may still be read.
	testkit.Eventually(t, func() bool { return f.Handlers.OpenConns() == len(streams) }, "the end of the cut connections")
	for i, s := range all {
		last[i] = s.finish()
	}
	f.Post("/api/ingest", fmt.Sprintf(`{"T":"trade","S":"A","p":%v}`, end), ndjson)
	readers.Wait()
	for i := range streams {
		if got[i]["A"] != last[0] || got[i]["B"] != last[1] {
			t.Errorf("stream %d ends with %v, want %v", i, got[i], last)
		}
	}
	if last[0] == 0 || last[1] == 0 {
		t.Error("nothing was sent")
	}
}

// cutSender sends the numbered trades of a symbol and is cut.
type cutSender struct {
	*feedServer
	r              *rand.Rand
	source, symbol string
}

// progress requests where the sequence is.
func (s *cutSender) progress() uint64 {
	var p struct {
		Last  uint64
		Holes []any
	}
	_, text := s.Get("/api/ingest?source=" + s.source)
	if err := json.Unmarshal([]byte(text), &p); err != nil || len(p.Holes) > 0 {
		s.Errorf("%v: %s", err, text)
	}
	return p.Last
}

// sendAndCut opens a connection, sends lines from the first that the server doesn't have or a little before, and is cut somewhere.
func (s *cutSender) sendAndCut() {
	from := int(s.progress()) + 1
	from = max(1, from-s.r.IntN(4)) // some again
	lines := trades(s.symbol, from, from+s.r.IntN(300))
	c := s.Dial()
	var stream strings.Builder
	switch s.r.IntN(4) {
	case 0: // as short as fasthttp reads
		fmt.Fprintf(&stream, "POST /api/ingest?source=%s HTTP/1.1\r\nHost: %s\r\n%s\r\nContent-Length: %d\r\n\r\n%s", s.source, s.Addr, ndjson, len(lines), lines)
	case 1:
		fmt.Fprintf(&stream, "POST /api/ingest?source=%s HTTP/1.1\r\nHost: %s\r\n%s\r\nContent-Length: %d\r\n\r\n%s", s.source, s.Addr, ndjson, len(lines)+100_000, lines)
	case 2:
		fmt.Fprintf(&stream, "POST /api/ingest?source=%s HTTP/1.1\r\nHost: %s\r\n%s\r\nTransfer-Encoding: chunked\r\n\r\n", s.source, s.Addr, ndjson)
		for rest := lines; len(rest) > 0; {
			n := min(len(rest), 1+s.r.IntN(500))
			fmt.Fprintf(&stream, "%x\r\n%s\r\n", n, rest[:n])
			rest = rest[n:]
		}
	default:
		c.Request("GET", "/ws/ingest?source="+s.source, testserver.Upgrade...)
		if c.Status != 101 {
			s.Errorf("status %d", c.Status)
		}
		for line := range strings.Lines(lines) {
			_ = ws.WriteFrame(&stream, ws.MaskFrame(ws.NewTextFrame([]byte(line))))
		}
	}
	text := stream.String()
	_, _ = io.WriteString(c.NetConn, text[:s.r.IntN(len(text)+1)])
	c.Cut(s.r.IntN(2) == 0)
}

// finish sends the last lines over a WebSocket, reads their acknowledgement and returns the number of the last one.
func (s *cutSender) finish() uint64 {
	c, first := s.feedSocket("?source=" + s.source)
	last := first.Last + 50
	c.SendText(trades(s.symbol, int(first.Last)+1, int(last)))
	s.acknowledged(c, last)
	c.NetConn.Close()
	return last
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	"github.com/gorilla/websocket"
	r3labs "github.com/r3labs/sse/v2"
	tmaxmax "github.com/tmaxmax/go-sse"

	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
)

// TestPopularClients connects the clients of docs/clients.md that are Go modules, as they are by default, to a server with
// 5,000 symbols, and cuts them in the snapshot and in ticks. Each ends with the whole state and every tick after it.
func TestPopularClients(t *testing.T) {
	t.Parallel()
	const symbols, cuts = 5000, 4
	srv := testserver.New(t, testserver.Options{Symbols: symbols})
	srv.Publish(symbols)
	srv.PublishSymbols(srv.QuietSymbol())
	srv.PublishRate(500)
	rng := testkit.Rand(t)
	for name, run := range map[string]func(ctx context.Context, addr string, r *replica){
		"r3labs": runR3labs, "tmaxmax": runTmaxmax, "gorilla": runGorilla, "coder": runCoder,
	} {
		limits := []int64{100, 40_000 + rng.Int64N(500_000), 1_200_000 + rng.Int64N(100_000), 30_000 + rng.Int64N(30_000)}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			addr, left := cutter(ctx, t, srv.Addr, limits)
			r := &replica{}
			var client sync.WaitGroup
			client.Go(func() { run(ctx, addr, r) })
			testkit.Eventually(t, func() bool { return left() == 0 }, cuts, " cuts")
			target := srv.TickLog.Head().Seq + 100
			testkit.Eventually(t, func() bool { _, last, _, _ := r.state(); return last >= target }, "ticks after the last cut")
			cancel()
			client.Wait()
			if quotes, _, lost, largest := r.state(); quotes != symbols || lost > 0 || largest >= 64<<10 {
				t.Errorf("%d quotes in the snapshot, %d ticks lost, largest message %d bytes", quotes, lost, largest)
			}
		})
	}
}

// replica is what a client keeps of the messages it gets.
type replica struct {
	mu      sync.Mutex
	quotes  int // of the last whole snapshot
	part    int // quotes of the parts of an incomplete one
	last    uint64
	lost    uint64
	largest int // bytes of a message

	epoch, from string // the position to resume from, of a WebSocket
}

func (r *replica) state() (quotes int, last, lost uint64, largest int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.quotes, r.last, r.lost, r.largest
}

// take handles the JSON of a message.
func (r *replica) take(text []byte) {
	var m struct {
		T           string
		Time        int64 `json:"t"`
		I           uint64
		To, Head    uint64
		Epoch       string
		Snapshot    bool
		Part, Parts int
		Quotes      []json.RawMessage
	}
	if json.Unmarshal(text, &m) != nil {
		return // an event in which the connection ended, which r3labs passes on all the same
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.largest = max(r.largest, len(text))
	seq := m.I
	switch m.T {
	case "hello":
		r.epoch, seq = m.Epoch, 0
	case "hb":
		seq = m.Head
	case "gap":
		seq = m.To
	case "snapshot":
		if m.Part <= 1 {
			r.part = 0
		}
		r.part += len(m.Quotes)
		if m.Part == m.Parts {
			r.quotes, r.last = r.part, m.I
		}
	case "q":
		if m.I > r.last+1 {
			r.lost += m.I - r.last - 1
		}
		r.last = max(r.last, m.I)
	}
	if seq > 0 && !m.Snapshot && m.Part == m.Parts {
		r.from = fmt.Sprintf("%s-%d", r.epoch, seq)
	}
}

// query returns the query of the next WebSocket.
func (r *replica) query() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.from == "" {
		return "topics=*"
	}
	return "topics=*&from=" + r.from
}

// cutter forwards connections to a server, and cuts the first ones, by FIN and RST in turn, after so many bytes of the
// response each. left returns how many are still to be cut.
func cutter(ctx context.Context, t *testing.T, server string, limits []int64) (addr string, left func() int) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	open, cut := 0, 0
	forward := func(client net.Conn, limit int64) {
		defer client.Close()
		nc, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer nc.Close()
		defer context.AfterFunc(ctx, func() { nc.Close() })()
		go io.Copy(nc, client)
		if limit == 0 {
			io.Copy(client, nc)
			return
		}
		io.CopyN(client, nc, limit)
		if limit%2 == 0 {
			client.(*net.TCPConn).SetLinger(0)
		}
		mu.Lock()
		cut++
		mu.Unlock()
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			limit := int64(0)
			if open < len(limits) {
				limit = limits[open]
			}
			open++
			all.Go(func() { forward(client, limit) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		all.Wait()
	})
	return ln.Addr().String(), func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(limits) - cut
	}
}

func runR3labs(ctx context.Context, addr string, r *replica) {
	for ctx.Err() == nil { // Subscribe returns when the server ends a stream
		c := r3labs.NewClient("http://" + addr + "/sse/subscribe?topics=*")
		c.ReconnectStrategy = quickBackoff{ctx}
		c.SubscribeRawWithContext(ctx, func(e *r3labs.Event) { r.take(e.Data) })
	}
}

// quickBackoff reconnects at once until the context is done.
type quickBackoff struct{ ctx context.Context }

func (b quickBackoff) NextBackOff() time.Duration {
	if b.ctx.Err() != nil {
		return -1
	}
	return time.Duration(rand.IntN(20)) * time.Millisecond
}

func (quickBackoff) Reset() {}

func runTmaxmax(ctx context.Context, addr string, r *replica) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/sse/subscribe?topics=*", nil)
	if err != nil {
		return
	}
	c := tmaxmax.NewConnection(request)
	c.SubscribeToAll(func(e tmaxmax.Event) { r.take([]byte(e.Data)) })
	for ctx.Err() == nil {
		c.Connect()
	}
}

func runGorilla(ctx context.Context, addr string, r *replica) {
	for ctx.Err() == nil {
		c, _, err := websocket.DefaultDialer.DialContext(ctx, "ws://"+addr+"/ws/subscribe?"+r.query(), nil)
		if err != nil {
			continue
		}
		stop := context.AfterFunc(ctx, func() { c.Close() })
		for {
			_, text, err := c.ReadMessage()
			if err != nil {
				break
			}
			r.take(text)
		}
		stop()
		c.Close()
	}
}

func runCoder(ctx context.Context, addr string, r *replica) {
	for ctx.Err() == nil {
		c, _, err := coder.Dial(ctx, "ws://"+addr+"/ws/subscribe?"+r.query(), nil)
		if err != nil {
			continue
		}
		for {
			_, text, err := c.Read(ctx)
			if err != nil {
				break
			}
			r.take(text)
		}
		c.CloseNow()
	}
}

// Package recipes has the usual ways to send every tick to every client, each as the documentation of its library teaches it
// and without anything that slows it down: what can be rendered once for all clients is rendered once.
package recipes

import (
	"context"
	"net"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Tick is one tick, rendered once.
type Tick struct {
	ID   string // the SSE id
	JSON []byte
	SSE  []byte // the whole event: data, then id

	seq, due int64 // of recipes with a snapshot
}

// Recipe is one such server.
type Recipe struct {
	Name  string
	Lane  string // sse or ws
	Path  string // of the request
	About string
	Lossy bool // a subscriber whose queue is full loses ticks
	// start serves on ln until the process ends, and returns a function that sends a tick to every client.
	start func(ln net.Listener) (publish func(*Tick))
	// startMarket, of recipes with a snapshot, does the same and sends each client the market's state first.
	startMarket func(ln net.Listener, m *market) (publish func(*Tick))
}

// All is every recipe, SSE first.
var All = []Recipe{
	{"fiber", "sse", "/", "gofiber/fiber v2: stream writer, channel for each subscriber, flush for each event", true, startFiber, nil},
	{"net/http", "sse", "/", "net/http: goroutine and channel for each subscriber, Flush for each event", true, startNetHTTP, nil},
	{"r3labs", "sse", "/?stream=ticks", "r3labs/sse v2", false, startR3labs, nil},
	{"tmaxmax", "sse", "/", "tmaxmax/go-sse", false, startTmaxmax, nil},
	{"gorilla", "ws", "/", "gorilla/websocket: PreparedMessage, goroutine and channel for each subscriber", true, startGorilla, nil},
	{"gobwas", "ws", "/", "gobwas/ws: compiled frame, goroutine and channel for each subscriber", true, startGobwas, nil},
	{"fasthttp-ws", "ws", "/", "fasthttp/websocket: PreparedMessage, goroutine and channel for each subscriber", true, startFasthttpWS, nil},
	{"coder", "ws", "/", "coder/websocket: Write, goroutine and channel for each subscriber", true, startCoder, nil},
}

// Find returns the recipe of All with this name.
func Find(name string) (Recipe, bool) { return find(All, name) }

func find(list []Recipe, name string) (Recipe, bool) {
	i := slices.IndexFunc(list, func(r Recipe) bool { return r.Name == name })
	if i < 0 {
		return Recipe{}, false
	}
	return list[i], true
}

// Listen listens on addr. sndbuf is the send buffer of each socket in bytes; 0 leaves the kernel's default.
func Listen(addr string, sndbuf int) (net.Listener, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if sndbuf == 0 {
			return nil
		}
		if e := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, sndbuf)
		}); e != nil {
			return e
		}
		return err
	}}
	lc.SetMultipathTCP(false)
	return lc.Listen(context.Background(), "tcp4", addr)
}

// Run serves on ln and publishes rate ticks/s, each when it is due. If the server is behind it publishes without pause, with
// the original due times. The recipe must be of WithSnapshot if symbols is above 0. Run doesn't return.
func (r Recipe) Run(ln net.Listener, rate float64, symbols int) {
	render := newTick
	var publish func(*Tick)
	if symbols > 0 {
		market := newMarket(symbols)
		render, publish = market.next, r.startMarket(ln, market)
	} else {
		publish = r.start(ln)
	}
	if rate <= 0 {
		select {}
	}
	anchor := time.Now()
	for seq := int64(1); ; seq++ {
		due := anchor.Add(time.Duration(float64(seq) / rate * 1e9))
		if d := time.Until(due); d > 0 {
			time.Sleep(d)
		}
		publish(render(seq, due.UnixMicro()))
	}
}

// newTick renders a tick of the same length as a fresh Ticklane's with 50 symbols. The baseline does the same.
func newTick(seq, due int64) *Tick {
	json := make([]byte, 0, 160)
	json = append(json, `{"T":"q","S":"AAPL","bp":187.21,"bs":30,"ap":187.24,"as":5,"p":187.22,"v":4815,"t":`...)
	json = strconv.AppendInt(json, due, 10)
	json = strconv.AppendInt(append(json, `,"n":`...), 1+seq/50, 10)
	json = strconv.AppendInt(append(json, `,"i":`...), seq, 10)
	json = append(json, '}')
	t := &Tick{ID: "9c4a0d2f-" + strconv.FormatInt(seq, 10), JSON: json}
	t.SSE = append(t.SSE, "data: "...)
	t.SSE = append(t.SSE, json...)
	t.SSE = append(t.SSE, "\nid: "...)
	t.SSE = append(t.SSE, t.ID...)
	t.SSE = append(t.SSE, '\n', '\n')
	return t
}

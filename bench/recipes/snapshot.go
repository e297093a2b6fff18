package recipes

import (
	"bufio"
	"bytes"
	"log"
	"net"
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/gorilla/websocket"
	r3labs "github.com/r3labs/sse/v2"

	"ticklane/internal/wire"
)

// WithSnapshot are servers that send a new client the state first, and a null server for each lane: it writes the same
// ready bytes to every client, so that it costs little but the kernel's work, and shows what the clients can take.
var WithSnapshot = []Recipe{
	{"fiber", "sse", "/", "gofiber/fiber v2: a snapshot rendered for each client, then as in the recipe", true, nil, startFiberMarket},
	{"r3labs", "sse", "/?stream=ticks", "r3labs/sse v2 with AutoReplay: every event since the start is repeated", false, nil, startR3labsMarket},
	{"gorilla", "ws", "/", "gorilla/websocket: a snapshot rendered for each client, then PreparedMessage", true, nil, startGorillaMarket},
	{"null-sse", "sse", "/", "write(2) of the same ready bytes to every client", true, nil, startNullSSE},
	{"null-ws", "ws", "/", "the same for WebSocket", true, nil, startNullWS},
}

// FindWithSnapshot returns the recipe of WithSnapshot with this name.
func FindWithSnapshot(name string) (Recipe, bool) { return find(WithSnapshot, name) }

func startFiberMarket(ln net.Listener, m *market) func(*Tick) {
	hub := newHub[*Tick]()
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/", func(c *fiber.Ctx) error {
		c.Set("Content-Type", "text/event-stream")
		c.Set("Cache-Control", "no-cache")
		c.Set("Transfer-Encoding", "chunked")
		c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
			snapshot, ticks := join(m, hub)
			defer hub.leave(ticks)
			w.WriteString("data: ")
			w.Write(snapshot)
			w.WriteString("\n\n")
			if w.Flush() != nil {
				return
			}
			flushEach(w, ticks)
		})
		return nil
	})
	go func() { log.Fatal(app.Listener(ln)) }()
	return func(t *Tick) { publish(m, hub, t, t) }
}

// startR3labsMarket publishes the state as events, which AutoReplay repeats for each client.
func startR3labsMarket(ln net.Listener, m *market) func(*Tick) {
	server := r3labs.New()
	server.CreateStream("ticks")
	send := func(t *Tick) { server.Publish("ticks", &r3labs.Event{ID: []byte(t.ID), Data: t.JSON}) }
	for seq := 1 - len(m.names); seq <= 0; seq++ {
		send(m.next(int64(seq), 1))
	}
	go func() { log.Fatal(http.Serve(ln, server)) }()
	return send
}

func startGorillaMarket(ln net.Listener, m *market) func(*Tick) {
	hub := newHub[*websocket.PreparedMessage]()
	upgrader := websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}
	go func() {
		log.Fatal(http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := upgrader.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer c.Close()
			snapshot, ticks := join(m, hub)
			defer hub.leave(ticks)
			gone := discard(func() error { _, _, err := c.ReadMessage(); return err })
			if c.WriteMessage(websocket.TextMessage, snapshot) != nil {
				return
			}
			forward(ticks, gone, c.WritePreparedMessage)
		})))
	}()
	return func(t *Tick) {
		p, err := websocket.NewPreparedMessage(websocket.TextMessage, t.JSON)
		if err != nil {
			log.Fatal(err)
		}
		publish(m, hub, t, p)
	}
}

func startNullSSE(ln net.Listener, m *market) func(*Tick) {
	head := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
	return startNull(ln, m, head, func(json []byte) []byte {
		return bytes.Join([][]byte{[]byte("data: "), json, []byte("\n\n")}, nil)
	})
}

func startNullWS(ln net.Listener, m *market) func(*Tick) {
	// The answer to the key that the clients of this module send, the example of RFC 6455 §1.3.
	head := []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
	return startNull(ln, m, head, func(json []byte) []byte {
		return append(wire.AppendFrameHeader(nil, wire.OpText, len(json)), json...)
	})
}

// startNull answers every request with head and a snapshot, rendered once for each tick, and then the ticks.
func startNull(ln net.Listener, m *market, head []byte, frame func(json []byte) []byte) func(*Tick) {
	hub := newHub[[]byte]()
	newest, at := []byte(nil), int64(0) // guarded by m.mu
	serve := func(c net.Conn) {
		defer c.Close()
		request := make([]byte, 4096)
		for n := 0; !bytes.Contains(request[:n], []byte("\r\n\r\n")); {
			k, err := c.Read(request[n:])
			if err != nil {
				return
			}
			n += k
		}
		m.mu.Lock()
		if at != m.seq {
			newest, at = append(bytes.Clone(head), frame(m.snapshot())...), m.seq
		}
		bytes, ticks := newest, hub.join()
		m.mu.Unlock()
		defer hub.leave(ticks)
		if _, err := c.Write(bytes); err != nil {
			return
		}
		gone := discard(func() error { _, err := c.Read(request); return err })
		forward(ticks, gone, func(t []byte) error { _, err := c.Write(t); return err })
	}
	go acceptEach(ln, serve)
	return func(t *Tick) { publish(m, hub, t, frame(t.JSON)) }
}

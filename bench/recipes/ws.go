package recipes

import (
	"context"
	"log"
	"net"
	"net/http"

	coder "github.com/coder/websocket"
	fastws "github.com/fasthttp/websocket"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/gorilla/websocket"
	"github.com/valyala/fasthttp"
)

// discard reads until the client disconnects, as every WebSocket server must, and closes gone then.
func discard(read func() error) (gone <-chan struct{}) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for read() == nil {
		}
	}()
	return done
}

// forward writes each tick until a write fails or the client disconnects.
func forward[T any](ticks <-chan T, gone <-chan struct{}, write func(T) error) {
	for {
		select {
		case t := <-ticks:
			if write(t) != nil {
				return
			}
		case <-gone:
			return
		}
	}
}

// acceptEach serves each connection in a goroutine.
func acceptEach(ln net.Listener, serve func(net.Conn)) {
	for {
		c, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(c)
	}
}

func startGorilla(ln net.Listener) func(*Tick) {
	hub := newHub[*websocket.PreparedMessage]()
	upgrader := websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024} // as in its chat example
	go func() {
		log.Fatal(http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := upgrader.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer c.Close()
			ticks := hub.join()
			defer hub.leave(ticks)
			gone := discard(func() error { _, _, err := c.ReadMessage(); return err })
			forward(ticks, gone, c.WritePreparedMessage)
		})))
	}()
	return func(t *Tick) {
		m, err := websocket.NewPreparedMessage(websocket.TextMessage, t.JSON)
		if err != nil {
			log.Fatal(err)
		}
		hub.publish(m)
	}
}

func startGobwas(ln net.Listener) func(*Tick) {
	hub := newHub[[]byte]()
	serve := func(c net.Conn) {
		defer c.Close()
		if _, err := ws.Upgrade(c); err != nil {
			return
		}
		ticks := hub.join()
		defer hub.leave(ticks)
		gone := discard(func() error { _, _, err := wsutil.ReadClientData(c); return err })
		forward(ticks, gone, func(frame []byte) error { _, err := c.Write(frame); return err })
	}
	go acceptEach(ln, serve)
	return func(t *Tick) {
		frame, err := ws.CompileFrame(ws.NewTextFrame(t.JSON))
		if err != nil {
			log.Fatal(err)
		}
		hub.publish(frame)
	}
}

func startFasthttpWS(ln net.Listener) func(*Tick) {
	hub := newHub[*fastws.PreparedMessage]()
	upgrader := fastws.FastHTTPUpgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}
	serve := func(c *fastws.Conn) {
		defer c.Close()
		ticks := hub.join()
		defer hub.leave(ticks)
		gone := discard(func() error { _, _, err := c.ReadMessage(); return err })
		forward(ticks, gone, c.WritePreparedMessage)
	}
	go func() {
		log.Fatal(fasthttp.Serve(ln, func(ctx *fasthttp.RequestCtx) {
			if err := upgrader.Upgrade(ctx, serve); err != nil {
				log.Print(err)
			}
		}))
	}()
	return func(t *Tick) {
		m, err := fastws.NewPreparedMessage(fastws.TextMessage, t.JSON)
		if err != nil {
			log.Fatal(err)
		}
		hub.publish(m)
	}
}

func startCoder(ln net.Listener) func(*Tick) {
	hub := newHub[[]byte]()
	go func() {
		log.Fatal(http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := coder.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer c.CloseNow()
			ticks := hub.join()
			defer hub.leave(ticks)
			ctx := c.CloseRead(context.Background())
			forward(ticks, ctx.Done(), func(json []byte) error { return c.Write(ctx, coder.MessageText, json) })
		})))
	}()
	return func(t *Tick) { hub.publish(t.JSON) }
}

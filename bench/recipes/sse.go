package recipes

import (
	"bufio"
	"log"
	"net"
	"net/http"

	"github.com/gofiber/fiber/v2"
	r3labs "github.com/r3labs/sse/v2"
	tmaxmax "github.com/tmaxmax/go-sse"
)

// startFiber is Fiber's own recipe for SSE.
func startFiber(ln net.Listener) func(*Tick) {
	hub := newHub[*Tick]()
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/", func(c *fiber.Ctx) error {
		c.Set("Content-Type", "text/event-stream")
		c.Set("Cache-Control", "no-cache")
		c.Set("Connection", "keep-alive")
		c.Set("Transfer-Encoding", "chunked")
		c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
			ticks := hub.join()
			defer hub.leave(ticks)
			w.WriteString(": hello\n\n")
			if w.Flush() != nil { // the headers leave with it
				return
			}
			flushEach(w, ticks)
		})
		return nil
	})
	go func() { log.Fatal(app.Listener(ln)) }()
	return hub.publish
}

func startNetHTTP(ln net.Listener) func(*Tick) {
	hub := newHub[*Tick]()
	go func() {
		log.Fatal(http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("Cache-Control", "no-cache")
			flusher := w.(http.Flusher)
			flusher.Flush()
			ticks := hub.join()
			defer hub.leave(ticks)
			for {
				select {
				case t := <-ticks:
					if _, err := w.Write(t.SSE); err != nil {
						return
					}
					flusher.Flush()
				case <-r.Context().Done():
					return
				}
			}
		})))
	}()
	return hub.publish
}

func startR3labs(ln net.Listener) func(*Tick) {
	server := r3labs.New()
	server.AutoReplay = false // it would keep every event
	server.CreateStream("ticks")
	go func() { log.Fatal(http.Serve(ln, server)) }()
	return func(t *Tick) { server.Publish("ticks", &r3labs.Event{ID: []byte(t.ID), Data: t.JSON}) }
}

func startTmaxmax(ln net.Listener) func(*Tick) {
	server := &tmaxmax.Server{}
	go func() { log.Fatal(http.Serve(ln, server)) }()
	return func(t *Tick) {
		m := &tmaxmax.Message{ID: tmaxmax.ID(t.ID)}
		m.AppendData(string(t.JSON))
		if err := server.Publish(m); err != nil {
			log.Fatal(err)
		}
	}
}

// flushEach writes and flushes each tick until a flush fails.
func flushEach(w *bufio.Writer, ticks <-chan *Tick) {
	for t := range ticks {
		w.Write(t.SSE)
		if w.Flush() != nil {
			return
		}
	}
}

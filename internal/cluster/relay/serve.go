package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// maxRequests bounds the requests that are handled at the same time. Each input of the other nodes has at most one.
const maxRequests = 1024

// Serve handles the requests of other nodes until ctx is done. It is called for each term of this node, beside ingest.Source.Lead. It
// returns an error only if the connection is closed.
func (r *Relay) Serve(ctx context.Context) error {
	h := handlers{slots: make(chan struct{}, maxRequests)}
	s, err := r.Conn.Subscribe(r.subject(r.Term()), func(m *nats.Msg) {
		if !h.start(func() { r.answer(ctx, m) }) {
			r.respond(m, &reply{Code: codeNotWriter})
		}
	})
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	drained := make(chan struct{})
	s.SetClosedHandler(func(string) { close(drained) })
	<-ctx.Done()
	if s.Drain() == nil { // requests that have arrived get a reply: they are sent to the next writer then
		select {
		case <-drained:
		case <-time.After(r.timing.silent): // the senders don't wait any longer
		}
	}
	_ = s.Unsubscribe() // it fails if it has ended
	h.wait()
	return nil
}

// handlers runs the handlers of requests.
type handlers struct {
	slots   chan struct{}
	mu      sync.Mutex // guards ended, and running's increments
	ended   bool
	running sync.WaitGroup
}

// start starts a handler, once fewer than cap(slots) run. It returns false after wait was called.
func (h *handlers) start(f func()) bool {
	h.slots <- struct{}{}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		<-h.slots
		return false
	}
	h.running.Go(func() {
		defer func() { <-h.slots }()
		f()
	})
	return true
}

// wait waits for the handlers.
func (h *handlers) wait() {
	h.mu.Lock()
	h.ended = true
	h.mu.Unlock()
	h.running.Wait()
}

// answer handles a request, and replies.
func (r *Relay) answer(ctx context.Context, m *nats.Msg) {
	q, err := parseRequest(m.Data)
	if err != nil {
		r.Logger.Warn("request of another server", "err", err)
		r.respond(m, &reply{Code: codeInvalid})
		return
	}
	done := make(chan reply, 1)
	go func() {
		if ctx.Err() != nil {
			done <- replyOf(nil, errNotWriter)
			return
		}
		done <- replyOf(r.handle(ctx, q))
	}()
	tick := time.NewTicker(r.timing.work)
	defer tick.Stop()
	for {
		select {
		case a := <-done:
			r.respond(m, &a)
			return
		case <-tick.C:
			r.respond(m, &reply{Working: true})
		}
	}
}

func (r *Relay) respond(m *nats.Msg, a *reply) {
	text, err := json.Marshal(a)
	if err != nil {
		panic(err) // it has no value that can't be encoded
	}
	if err := m.Respond(text); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		r.Logger.Warn("reply to another server", "err", err)
	}
}

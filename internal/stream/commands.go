package stream

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"ticklane/internal/auth"
	"ticklane/internal/wire"
)

// ErrBusy is returned when too many requests wait for a stream, because its client doesn't read.
var ErrBusy = errors.New("too many requests wait for this stream")

// ErrClosed is returned when a stream has ended, or ends before it has executed a request.
var ErrClosed = errors.New("the stream has ended")

// maxRequests is the number of requests that may wait for one stream.
const maxRequests = 64

// request is what a stream's owner does between two ticks: one of a command, a message or a frame.
type request struct {
	cmd      wire.Command
	received time.Time
	renewal  *auth.Principal // of a command of wire.ActionAuth
	message  *wire.Message
	frame    []byte
	replyTo  chan result // capacity 1; nil when the answer is sent on the stream
}

// result is the outcome of a command.
type result struct {
	message wire.Message
	err     error
}

func (r *request) reply(res result) {
	if r.replyTo != nil {
		r.replyTo <- res
	}
}

// EnqueueCommand makes the stream execute a command and send its answer. received is when the command arrived. The
// error is ErrBusy or ErrClosed.
func (s *Subscriber) EnqueueCommand(cmd wire.Command, received time.Time) error {
	return s.enqueueRequest(request{cmd: cmd, received: received})
}

// EnqueueRenewal makes the stream take over the rights and the expiry of a principal, and send the answer to the client's command.
// The error is a *wire.CommandError, ErrBusy or ErrClosed.
func (s *Subscriber) EnqueueRenewal(p *auth.Principal, cmd wire.Command) error {
	if err := s.checkSubject(p, cmd); err != nil {
		return err
	}
	return s.enqueueRequest(request{cmd: cmd, renewal: p})
}

// EnqueueMessage makes the stream send a message. The error is ErrBusy or ErrClosed.
func (s *Subscriber) EnqueueMessage(m wire.Message) error {
	return s.enqueueRequest(request{message: &m})
}

// EnqueueFrame makes the stream send a WebSocket control frame, such as a pong. The error is ErrBusy or ErrClosed.
func (s *Subscriber) EnqueueFrame(frame []byte) error {
	return s.enqueueRequest(request{frame: frame})
}

// Execute makes the stream execute a command, waits for it and returns the answer. The stream sends the subscription
// that results, but no error. Errors: a *wire.CommandError, ErrBusy, ErrClosed, or ctx's.
func (s *Subscriber) Execute(ctx context.Context, cmd wire.Command, received time.Time) (wire.Message, error) {
	if cmd.Action == wire.ActionTime {
		return wire.Time(received, time.Now(), cmd.ID), nil
	}
	return s.execute(ctx, request{cmd: cmd, received: received})
}

// Renew is EnqueueRenewal that waits for the answer, as Execute does.
func (s *Subscriber) Renew(ctx context.Context, p *auth.Principal, cmd wire.Command) (wire.Message, error) {
	if err := s.checkSubject(p, cmd); err != nil {
		return wire.Message{}, err
	}
	return s.execute(ctx, request{cmd: cmd, renewal: p})
}

// execute enqueues a request and waits for its result.
func (s *Subscriber) execute(ctx context.Context, r request) (wire.Message, error) {
	r.replyTo = make(chan result, 1)
	if err := s.enqueueRequest(r); err != nil {
		return wire.Message{}, err
	}
	select {
	case res := <-r.replyTo:
		return res.message, res.err
	case <-ctx.Done():
		return wire.Message{}, ctx.Err()
	}
}

func (s *Subscriber) enqueueRequest(r request) error {
	if err := s.queue.push(r); err != nil {
		return err
	}
	s.Notify()
	return nil
}

// requestQueue carries requests from any goroutine to a stream's owner.
type requestQueue struct {
	pending atomic.Bool // take has something to return; otherwise it needs no lock

	mu        sync.Mutex
	requests  []request
	endReason string // "" while the stream continues
	closed    bool
}

func (q *requestQueue) push(r request) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return ErrClosed
	case len(q.requests) >= maxRequests:
		return ErrBusy
	}
	q.requests = append(q.requests, r)
	q.pending.Store(true)
	return nil
}

// requestEnd sets the reason to end the stream, unless there is one.
func (q *requestQueue) requestEnd(reason string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.endReason == "" {
		q.endReason = reason
	}
	q.pending.Store(true)
}

// take moves the waiting requests to the end of list, unless that holds maxRequests already, and returns the list and the
// reason to end, if any.
func (q *requestQueue) take(list []request) (all []request, endReason string) {
	if !q.pending.Load() {
		return list, ""
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(list) < maxRequests {
		list = append(list, q.requests...)
		clear(q.requests)
		q.requests = q.requests[:0]
	}
	q.pending.Store(q.endReason != "" || len(q.requests) > 0)
	return list, q.endReason
}

// close makes push fail with ErrClosed, and returns the requests that wait. first is false in all calls but the first.
func (q *requestQueue) close() (waiting []request, first bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting, q.requests = q.requests, nil
	first, q.closed = !q.closed, true
	return waiting, first
}

package adapter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	defaultSpan   = 5 * time.Second // a request body ends after it, so that the server's answer confirms its lines
	defaultKept   = 100_000         // lines kept while the server can't be reached
	answerTimeout = 30 * time.Second
)

// sender sends lines to POST /api/ingest and numbers them, so that each is applied once: before each body it
// requests the last number that the server has, and continues after it.
type sender struct {
	http        *http.Client
	target      string // of the server, such as http://127.0.0.1:3000
	source      string
	token       string
	instruments []Instrument
	log         *slog.Logger
	span        time.Duration
	kept        int
	wait        backoff

	notify chan struct{} // has an element when lines were added
	next   uint64        // number of the next line; used by run alone

	mu      sync.Mutex // guards the fields below
	lines   []numbered // not confirmed, the oldest first
	dropped int        // since the last log message
}

type numbered struct {
	line line
	n    uint64 // 0 until it was sent
}

// add queues lines. If too many wait, the oldest are dropped.
func (s *sender) add(lines [][]byte) {
	s.mu.Lock()
	for _, l := range lines {
		s.lines = append(s.lines, numbered{line: bytes.Clone(l)})
	}
	if over := len(s.lines) - s.kept; over > 0 {
		s.lines = append(s.lines[:0], s.lines[over:]...)
		s.dropped += over
	}
	s.mu.Unlock()
	select {
	case s.notify <- struct{}{}:
	default:
	}
}

// run sends lines until ctx is done, and then those that are left. The error is ErrRefused by the server.
func (s *sender) run(ctx context.Context) error {
	for {
		if !s.await(ctx) {
			return s.finish(ctx)
		}
		err := s.deliver(context.WithoutCancel(ctx), ctx)
		if errors.Is(err, ErrRefused) {
			return err
		}
		if err == nil {
			s.wait.reset()
		} else if ctx.Err() == nil {
			var busy *busyError
			errors.As(err, &busy)
			wait := s.wait.next(busy.after())
			s.log.Warn("server unreachable, lines are kept", "err", err, "lines", s.count(), "retry_in", wait.Round(time.Millisecond))
			sleep(ctx, wait)
		}
	}
}

// finish sends what is left after ctx is done, within a few seconds.
func (s *sender) finish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.span)
	defer cancel()
	if s.count() == 0 {
		return nil
	}
	ended, end := context.WithCancel(ctx)
	end()
	if err := s.deliver(ctx, ended); err != nil {
		return fmt.Errorf("%d lines not delivered: %w", s.count(), err)
	}
	return nil
}

// await waits for lines, and reports whether ctx is not done yet.
func (s *sender) await(ctx context.Context) bool {
	for ctx.Err() == nil {
		if s.count() > 0 {
			return true
		}
		select {
		case <-s.notify:
		case <-ctx.Done():
		}
	}
	return false
}

func (s *sender) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lines)
}

// deliver sends one body and reads its answer, which confirms the lines. The body ends after span, or when ended is done and no
// line is left.
func (s *sender) deliver(ctx, ended context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.span+answerTimeout)
	defer cancel()
	if err := s.synchronize(ctx); err != nil {
		return err
	}
	body, w := io.Pipe()
	written := make(chan uint64, 1) // the number of the last line
	go func() { written <- s.write(ended, w) }()
	req, err := s.request(ctx, http.MethodPost, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	resp, err := s.http.Do(req)
	body.CloseWithError(errors.New("answered")) // ends write if the server doesn't read on
	last := <-written
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := ingestError(resp); err != nil {
		return err
	}
	var a answer
	if err := json.NewDecoder(io.LimitReader(resp.Body, answerLimit)).Decode(&a); err != nil {
		return fmt.Errorf("answer of %s: %w", req.URL.Path, err)
	}
	s.confirm(min(last, a.Last))
	a.report(s.log)
	if a.Last < last {
		return fmt.Errorf("the server has line %d, want %d", a.Last, last)
	}
	return nil
}

// write writes the instruments and then the lines, as they come, into a body. It returns the number of the last line.
func (s *sender) write(ended context.Context, w *io.PipeWriter) (last uint64) {
	defer func() { _ = w.Close() }() // never fails
	var b []byte
	for _, in := range s.instruments {
		text := marshal(in)
		b = append(append(append(b, `{"T":"instrument",`...), text[1:]...), '\n')
	}
	timer := time.NewTimer(s.span)
	defer timer.Stop()
	for {
		var more bool
		if b, last, more = s.appendAfter(b, last); len(b) > 0 {
			if _, err := w.Write(b); err != nil {
				return last
			}
			b = b[:0]
		}
		if more {
			continue
		}
		select {
		case <-s.notify:
		case <-timer.C:
			return last
		case <-ended.Done():
			if _, _, more = s.appendAfter(nil, last); !more {
				return last
			}
		}
	}
}

const batchLines = 1000

// appendAfter appends the lines after number last, and numbers those that have no number yet. It reports whether there are more.
func (s *sender) appendAfter(b []byte, last uint64) (_ []byte, newest uint64, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, sent := 0, 0; i < len(s.lines); i++ {
		l := &s.lines[i]
		if l.n != 0 && l.n <= last {
			continue
		}
		if sent++; sent > batchLines {
			return b, last, true
		}
		if l.n == 0 {
			l.n = s.next
			s.next++
		}
		b = append(append(b, l.line...), `,"n":`...)
		b = append(strconv.AppendUint(b, l.n, 10), '}', '\n')
		last = l.n
	}
	if s.dropped > 0 {
		s.log.Error("lines dropped, too many waited for the server", "lines", s.dropped)
		s.dropped = 0
	}
	return b, last, false
}

// synchronize drops the lines that the server has, and continues its numbers. A server that was restarted starts them anew.
func (s *sender) synchronize(ctx context.Context) error {
	req, err := s.request(ctx, http.MethodGet, nil)
	if err != nil {
		return err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := ingestError(resp); err != nil {
		return err
	}
	var p struct {
		Last uint64 `json:"last"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, answerLimit)).Decode(&p); err != nil {
		return fmt.Errorf("answer of %s: %w", req.URL.Path, err)
	}
	s.confirm(p.Last)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = p.Last + 1
	for i := range s.lines {
		if s.lines[i].n == 0 {
			break
		}
		s.lines[i].n = s.next
		s.next++
	}
	return nil
}

// confirm drops the lines up to a number.
func (s *sender) confirm(last uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := 0
	for k < len(s.lines) && s.lines[k].n != 0 && s.lines[k].n <= last {
		k++
	}
	s.lines = append(s.lines[:0], s.lines[k:]...)
}

func (s *sender) request(ctx context.Context, method string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.target+"/api/ingest?source="+url.QueryEscape(s.source), body)
	if err == nil && s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	return req, err
}

// answer is that of POST /api/ingest.
type answer struct {
	Accepted   uint64 `json:"accepted"`
	Rejected   uint64 `json:"rejected"`
	Duplicates uint64 `json:"duplicates"`
	Last       uint64 `json:"last"`
	Errors     []struct {
		Line   uint64 `json:"line"`
		Field  string `json:"field"`
		Reason string `json:"reason"`
	} `json:"errors"`
}

func (a *answer) report(log *slog.Logger) {
	log.Debug("lines delivered", "accepted", a.Accepted, "duplicates", a.Duplicates, "last", a.Last)
	if a.Rejected == 0 {
		return
	}
	var first string
	if len(a.Errors) > 0 {
		first = strings.TrimPrefix(a.Errors[0].Field+": "+a.Errors[0].Reason, ": ")
	}
	log.Warn("lines rejected by the server", "rejected", a.Rejected, "accepted", a.Accepted, "first", first)
}

// busyError is an answer of a server that can't take lines now.
type busyError struct {
	err  error
	wait time.Duration
}

func (e *busyError) Error() string { return e.err.Error() }
func (e *busyError) Unwrap() error { return e.err }

// after returns the time to wait that the server requested.
func (e *busyError) after() time.Duration {
	if e == nil {
		return 0
	}
	return e.wait
}

func ingestError(resp *http.Response) error {
	err := statusError(resp)
	if err == nil || errors.Is(err, ErrRefused) {
		return err
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	return &busyError{err, time.Duration(max(0, seconds)) * time.Second}
}

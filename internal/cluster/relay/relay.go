// Package relay lets clients send a feed to any node: the lines go to the node that publishes it, the writer, by requests on a NATS
// connection.
//
// A request has whole lines of one input; the writer handles them as those of its clients, and replies with their result. An
// input sends its next request after the reply, which also slows it down to the writer's pace. There is no state between requests, so
// an input continues with another writer by itself. The subject of a request has the writer's term, since a writer that was stopped may
// not know yet that there is another.
package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"ticklane/internal/auth"
	"ticklane/internal/market/ingest"
)

// ErrNoWriter is returned when no node runs the feed. None of the lines of the request were handled.
var ErrNoWriter = fmt.Errorf("no server runs the feed at the moment: %w", ingest.ErrStopped)

// Options are the options of a Relay. All but Wait and Logger are required.
type Options struct {
	Conn    *nats.Conn
	Prefix  string        // of the subject
	Term    func() uint64 // the newest writer's term that the node knows of
	Source  *ingest.Source
	MaxLine int           // see ingest.Options
	Wait    time.Duration // for a writer, if none runs the feed: another takes over within 5 s; default 6 s
	Logger  *slog.Logger  // slog.Default() if nil

	timing timing // shorter in tests
	chunk  int    // bytes of lines in a request; smaller in tests
}

// timing has the times of the protocol.
type timing struct {
	again  time.Duration // between attempts to find one
	work   time.Duration // between replies that the writer still handles the lines
	silent time.Duration // without a reply, after which the writer is given up
}

var defaultTiming = timing{again: 100 * time.Millisecond, work: time.Second, silent: 4 * time.Second}

const (
	defaultWait = 6 * time.Second
	// maxChunk is the most bytes of lines in a request, but for the last line.
	maxChunk = 256 << 10
	// maxHead is the most bytes of a request before its lines.
	maxHead = 64 << 10
)

// Relay passes lines to the writer, which may be this node. Its methods may be called from any goroutine.
type Relay struct {
	Options
}

// New returns a relay. The error is that of a server whose messages are too small.
func New(o Options) (*Relay, error) {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.timing = cmp.Or(o.timing, defaultTiming)
	o.Wait = cmp.Or(o.Wait, defaultWait)
	room := int(o.Conn.MaxPayload()) - maxHead - lineRoom(o.MaxLine)
	if room < 0 {
		return nil, fmt.Errorf("feed.ingest.line_size, %d bytes: a line doesn't fit into a message of the NATS server: reduce it, or raise max_payload, %d bytes",
			o.MaxLine, o.Conn.MaxPayload())
	}
	o.chunk = cmp.Or(o.chunk, min(maxChunk, room))
	return &Relay{Options: o}, nil
}

// lineRoom returns the most bytes that are sent of a line: one more than the longest line with its CR, which the writer refuses, and
// its end.
func lineRoom(maxLine int) int { return maxLine + 3 }

// subject returns the subject of requests to the writer of a term.
func (r *Relay) subject(term uint64) string { return fmt.Sprintf("%s.ingest.%d", r.Prefix, term) }

// Open returns an input for a client: see ingest.Source.Open. rights are nil for a client that may send all. The caller must Close the
// input.
func (r *Relay) Open(name, subject string, rights *auth.Rights) *Input {
	return &Input{relay: r, head: head{Version: version, Source: name, Subject: subject, Rights: rights, MaxLine: r.MaxLine}}
}

// Progress returns the progress of a sequence, as ingest.Source.Progress of the writer does.
func (r *Relay) Progress(ctx context.Context, name, subject string) (ingest.Result, error) {
	x := r.Open(name, subject, nil)
	defer x.Close()
	err := x.Flush(ctx)
	return x.Take(), err
}

// codes of errors in replies.
const (
	codeNotWriter = "not-writer" // nothing was handled
	codeStopped   = "stopped"
	codeForeign   = "foreign"
	codeInvalid   = "invalid"
)

var (
	errNotWriter = errors.New("the node doesn't run the feed")
	errInvalid   = errors.New("the server that runs the feed doesn't understand the request: all servers need the same version")
	errChanged   = errors.New("another server runs the feed")
	errSilent    = errors.New("the server that runs the feed doesn't reply")
)

// handle handles the lines of a request on the writer. It returns no result if it has handled none.
func (r *Relay) handle(ctx context.Context, q *request) (*ingest.Result, error) {
	if !r.Source.Publishing() {
		return nil, errNotWriter
	}
	if len(q.lines) == 0 {
		return r.progress(ctx, q)
	}
	client := ingest.Client{Subject: q.head.Subject, MaxLine: q.head.MaxLine}
	if q.head.Rights != nil {
		client.MayWrite = q.head.Rights.CanWrite
	}
	x, err := r.Source.Open(q.head.Source, client)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	err = x.Write(ctx, q.lines)
	result := x.Take()
	if err == nil && result.Accepted+result.Rejected+result.Duplicates == 0 { // empty lines
		return r.progress(ctx, q)
	}
	return &result, err
}

// progress returns the progress of the sequence of a request.
func (r *Relay) progress(ctx context.Context, q *request) (*ingest.Result, error) {
	if err := r.Source.CheckOwner(q.head.Source, q.head.Subject); err != nil {
		return nil, err
	}
	result, err := r.Source.Progress(ctx, q.head.Source)
	if err != nil {
		return nil, err
	}
	result = result.Take()
	return &result, nil
}

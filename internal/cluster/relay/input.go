package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"ticklane/internal/market/ingest"
)

// Input passes the lines of one connection to the writer. Its methods do what those of ingest.Input do. It is used by one goroutine at a
// time.
type Input struct {
	relay  *Relay
	head   head
	text   []byte // whole lines, then the start of a line whose end has not come; after the head, once there is a line
	prefix int    // bytes of text that are the head
	whole  int    // bytes of text up to the end of the newest whole line
	skip   bool   // the rest of a line that is too long
	added  uint64 // whole lines in text
	before uint64 // lines before those
	known  bool   // result has the progress

	replies *nats.Subscription // nil before the first request
	result  ingest.Result
	failed  error
}

// Close releases the input. Lines that were not sent are discarded.
func (x *Input) Close() {
	if x.replies != nil {
		_ = x.replies.Unsubscribe() // it fails if the connection is closed
	}
}

// Write handles all lines that end in b.
func (x *Input) Write(ctx context.Context, b []byte) error {
	if err := x.add(ctx, b); err != nil {
		return err
	}
	return x.Flush(ctx)
}

// Add is Write for one of several pieces. The writer determines when it has received the lines.
func (x *Input) Add(ctx context.Context, b []byte, _ time.Time) error { return x.add(ctx, b) }

// Message is Add for a message of one or more lines, the last of which needs no end.
func (x *Input) Message(ctx context.Context, b []byte, _ time.Time) error {
	if err := x.add(ctx, b); err != nil {
		return err
	}
	return x.endLine(ctx)
}

// End handles the last line, which needs no end.
func (x *Input) End(ctx context.Context) error {
	if err := x.endLine(ctx); err != nil {
		return err
	}
	return x.Flush(ctx)
}

// endLine ends the line whose end has not come, if there is one.
func (x *Input) endLine(ctx context.Context) error {
	if len(x.text) == x.whole {
		return nil
	}
	return x.add(ctx, []byte{'\n'})
}

// Take returns what became of the lines since the last call, and the progress of the sequence.
func (x *Input) Take() ingest.Result { return x.result.Take() }

// add adds lines. It sends them when they fill a request.
func (x *Input) add(ctx context.Context, b []byte) error {
	if err := x.begin(); err != nil {
		return err
	}
	longest := lineRoom(x.relay.MaxLine) - 1
	for len(b) > 0 {
		part, after, ended := bytes.Cut(b, []byte{'\n'})
		b = after
		if !x.skip {
			part = part[:min(len(part), longest-(len(x.text)-x.whole))]
			x.text = append(x.text, part...)
			x.skip = len(x.text)-x.whole == longest
		}
		if !ended {
			continue
		}
		x.text = append(x.text, '\n')
		x.whole, x.skip = len(x.text), false
		if x.added++; x.whole-x.prefix >= x.relay.chunk {
			if err := x.send(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin writes the head at the start of text.
func (x *Input) begin() error {
	if x.failed == nil && x.prefix == 0 {
		if x.text, x.failed = x.head.append(x.text); x.failed == nil {
			x.prefix, x.whole = len(x.text), len(x.text)
		}
	}
	return x.failed
}

// Flush handles the lines that were added. The first Flush gets the progress of the sequence even if there are none.
func (x *Input) Flush(ctx context.Context) error {
	if err := x.begin(); err != nil {
		return err
	}
	if x.added == 0 && x.known {
		return nil
	}
	return x.send(ctx)
}

// send sends the whole lines and waits for their result. After an error the input has ended.
func (x *Input) send(ctx context.Context) error {
	result, err := x.exchange(ctx, x.text[:x.whole])
	switch {
	case result != nil:
		x.result.Add(result, x.before)
	case !x.known: // what this node has of it
		if stored, err := x.relay.Source.Progress(ctx, x.head.Source); err == nil {
			x.result.Add(&stored, x.before)
		}
	}
	if err != nil {
		x.failed = err
		return err
	}
	x.known, x.before, x.added = true, x.before+x.added, 0
	x.text = append(x.text[:x.prefix], x.text[x.whole:]...)
	x.whole = x.prefix
	return nil
}

// exchange passes a request to the writer, for which it waits. The result is nil if there was no reply.
func (x *Input) exchange(ctx context.Context, data []byte) (result *ingest.Result, err error) {
	r := x.relay
	for began := time.Now(); ; {
		if r.Source.Publishing() {
			result, err = r.handle(ctx, &request{head: x.head, lines: data[x.prefix:]})
		} else {
			result, err = x.request(ctx, data)
		}
		if !errors.Is(err, errNotWriter) {
			return result, err
		}
		if time.Since(began) >= r.Wait {
			return nil, ErrNoWriter
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(r.timing.again):
		}
	}
}

// request sends a request to another node, and waits for the reply. The error is errNotWriter if no node has handled it.
func (x *Input) request(ctx context.Context, data []byte) (*ingest.Result, error) {
	r := x.relay
	if x.replies == nil {
		s, err := r.Conn.SubscribeSync(r.Conn.NewInbox())
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errNotWriter, err)
		}
		x.replies = s
	}
	term := r.Term()
	if err := r.Conn.PublishRequest(r.subject(term), x.replies.Subject, data); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotWriter, err)
	}
	for {
		m, err := x.next(ctx, term)
		if err != nil {
			return nil, err
		}
		a, err := parseReply(m.Data)
		if err != nil {
			return nil, err
		}
		if !a.Working {
			return a.Result, a.err()
		}
	}
}

// next returns the next reply of the writer of a term. It waits no longer once there is another writer.
func (x *Input) next(ctx context.Context, term uint64) (*nats.Msg, error) {
	r := x.relay
	for began := time.Now(); ; {
		limited, cancel := context.WithTimeout(ctx, r.timing.again)
		m, err := x.replies.NextMsgWithContext(limited)
		cancel()
		switch {
		case err == nil:
			return m, nil
		case errors.Is(err, nats.ErrNoResponders):
			return nil, errNotWriter
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !errors.Is(err, context.DeadlineExceeded): // the connection is closed
		case r.Term() != term:
			err = errChanged
		case time.Since(began) >= r.timing.silent:
			err = errSilent
		default:
			continue
		}
		return nil, fmt.Errorf("%w: %w", ingest.ErrStopped, err) // the lines may have been handled
	}
}

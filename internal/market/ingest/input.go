package ingest

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
)

const (
	maxBatch = 1024 // lines
	// keepLine is the most that an input keeps of the memory of a line that came in pieces, in bytes.
	keepLine = 4 << 10
)

// Input reads the lines of one connection. It is used by one goroutine at a time.
type Input struct {
	source   *Source
	name     string
	subject  string
	sequence *sourceSequence // nil without a name
	term     int             // of Source, whose sequence it is
	taken    []batch.Range   // numbers of new lines that other nodes don't know of
	parser   parser
	maxLine  int    // bytes of a line, without its end
	number   uint64 // of the newest line
	result   Result

	batch   []line
	pending []pendingInstrument // of the lines after those of batch
	rest    []byte              // of a line whose end has not come
	skip    bool                // the rest of a line that is too long
}

type pendingInstrument struct {
	line
	instrument quote.Instrument
}

// Open returns an input for a client. name identifies the client's sequence of lines, across its connections; without a name lines
// can't have a number. The error is ErrForeignSource. The caller must Close the input.
func (s *Source) Open(name string, client Client) (*Input, error) {
	x := &Input{source: s, name: name, subject: client.Subject, parser: parser{universe: s.universe, mayWrite: client.MayWrite}, maxLine: s.options.MaxLine}
	if client.MaxLine > 0 {
		x.maxLine = min(x.maxLine, client.MaxLine)
	}
	if name == "" {
		return x, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if x.sequence, err = s.open(name, client.Subject); err != nil {
		return nil, err
	}
	x.term = s.term
	if x.sequence == nil {
		x.term = unattached
	} else {
		x.sequence.inputs++
	}
	if !s.follower.progress(name, &x.result) {
		x.result.setProgress(&x.sequence.sequence)
	}
	return x, nil
}

// Close releases the input. A line whose end has not come is discarded.
func (x *Input) Close() {
	if x.sequence != nil {
		x.source.mu.Lock()
		x.sequence.inputs--
		x.source.mu.Unlock()
	}
}

// Write handles all lines that end in b, and publishes their ticks before it returns. It waits for Options.Rate. The error is
// ErrStopped, or ctx's; then some of the lines may not have been handled, and are not counted.
func (x *Input) Write(ctx context.Context, b []byte) error {
	received := time.Now()
	if err := x.Add(ctx, b, received); err != nil {
		return err
	}
	return x.flush(ctx, received.UnixMicro())
}

// Add is Write for one of several pieces that were received together: the lines are handled by Flush, at the latest.
func (x *Input) Add(ctx context.Context, b []byte, received time.Time) error {
	return x.add(ctx, b, received.UnixMicro())
}

// Message is Add for a message of one or more lines, the last of which needs no end.
func (x *Input) Message(ctx context.Context, b []byte, received time.Time) error {
	if err := x.add(ctx, b, received.UnixMicro()); err != nil {
		return err
	}
	return x.endLine(ctx, received.UnixMicro())
}

// Flush handles the lines that were added.
func (x *Input) Flush(ctx context.Context) error { return x.flush(ctx, time.Now().UnixMicro()) }

// add parses all lines that end in b. It handles them when they are as many as a batch.
func (x *Input) add(ctx context.Context, b []byte, received int64) error {
	for len(b) > 0 {
		text, after, ended := bytes.Cut(b, []byte{'\n'})
		b = after
		switch {
		case x.skip:
			x.skip = !ended
			continue
		case x.size(text) > x.maxLine:
			if err := x.tooLong(ctx, received); err != nil {
				return err
			}
			x.skip, x.rest = !ended, x.rest[:0]
		case !ended:
			x.rest = append(x.rest, text...)
			continue
		case len(x.rest) > 0:
			x.rest = append(x.rest, text...)
			if err := x.line(ctx, x.rest, received); err != nil {
				return err
			}
			if x.rest = x.rest[:0]; cap(x.rest) > keepLine {
				x.rest = nil
			}
		default:
			if err := x.line(ctx, text, received); err != nil {
				return err
			}
		}
		if len(x.batch)+len(x.pending) == maxBatch {
			if err := x.flush(ctx, received); err != nil {
				return err
			}
		}
	}
	return nil
}

// size returns the bytes of a line that has text after x.rest, without a CR at its end.
func (x *Input) size(text []byte) int {
	n := len(x.rest) + len(text)
	if bytes.HasSuffix(text, []byte{'\r'}) || len(text) == 0 && bytes.HasSuffix(x.rest, []byte{'\r'}) {
		n--
	}
	return n
}

// End handles the last line, which needs no end. Call it only if the input is complete.
func (x *Input) End(ctx context.Context) error {
	received := time.Now().UnixMicro()
	if err := x.endLine(ctx, received); err != nil {
		return err
	}
	return x.flush(ctx, received)
}

// endLine ends the line whose end has not come, if there is one.
func (x *Input) endLine(ctx context.Context, received int64) error {
	if len(x.rest) == 0 && !x.skip {
		return nil
	}
	return x.add(ctx, []byte{'\n'}, received)
}

func (x *Input) tooLong(ctx context.Context, received int64) error {
	if len(x.pending) > 0 { // their errors come first
		if err := x.flush(ctx, received); err != nil {
			return err
		}
	}
	x.number++
	reason := "longer than feed.ingest.line_size, " + strconv.Itoa(x.maxLine) + " bytes"
	x.batch = append(x.batch, line{number: x.number, fault: &fault{"", reason}})
	return nil
}

// line parses a line and adds it to the batch, or to the instruments that follow the batch.
func (x *Input) line(ctx context.Context, text []byte, received int64) error {
	x.number++
	if blank(text) {
		return nil
	}
	l := line{number: x.number}
	x.parser.parse(text, received, &l)
	if l.kind == instrumentLine && l.fault == nil {
		var in quote.Instrument
		if in, l.fault = x.parser.instrument(); l.fault == nil {
			x.pending = append(x.pending, pendingInstrument{l, in})
			return nil
		}
	}
	if len(x.pending) > 0 {
		if err := x.flush(ctx, received); err != nil {
			return err
		}
		if l.kind != instrumentLine {
			x.parser.parse(text, received, &l) // it may be of an instrument that was added now
		}
	}
	x.batch = append(x.batch, l)
	return nil
}

func blank(text []byte) bool {
	for _, c := range text {
		if !isSpace(c) {
			return false
		}
	}
	return true
}

package natsbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/bus"
	"ticklane/internal/bus/natserr"
	"ticklane/internal/quote/batch"
)

var _ bus.Bus = (*Bus)(nil)

// ErrEpoch is the error of a bus whose log can't be continued: the stream has a new epoch, or no longer has the ticks that follow.
// The caller closes the bus, opens another and starts what serves clients anew.
var ErrEpoch = errors.New("the log can't be continued")

// Bus is a node's connection to the stream. Its methods may be called from any goroutine.
type Bus struct {
	o        Options
	embedded *embedded // nil with an external server
	conn     *nats.Conn
	js       jetstream.JetStream
	stream   jetstream.Stream
	lease    lease
	marks    marks
	records  records
	sinks    []bus.Sink

	start  bus.State
	first  uint64 // sequence of the message before the first one that Run reads
	target uint64 // sequence of the newest message when the bus was opened

	deliver sync.Mutex // held while ticks are passed to the sinks; locked before mu
	decoder *batch.Decoder
	decoded batch.Batch
	learned uint64 // sequence of the message up to which the source has all; only those after it are applied

	again   chan struct{} // receives when the reader needs a new consumer
	ended   chan struct{}
	endOnce sync.Once
	end     error // why ended is closed

	mu      sync.Mutex
	view    view // changed with deliver and mu locked
	moved   chan struct{}
	health  health
	writing *term // nil while another node writes
	spoiled bool  // this node has found that the epoch must end
}

// Open is Connect and OpenLog.
func Open(ctx context.Context, o Options) (*Bus, error) {
	b, err := Connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := b.OpenLog(ctx, o.Log); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// Connect connects to the stream, which it creates if it is missing and the node may write, and compares the settings. It waits for the
// server until ctx is done, and logs that it does.
func Connect(ctx context.Context, o Options) (_ *Bus, err error) {
	o.setDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	b := &Bus{o: o, moved: make(chan struct{}), again: make(chan struct{}, 1), ended: make(chan struct{})}
	defer func() {
		if err != nil {
			b.Close()
		}
	}()
	if o.URL == "" {
		if b.embedded, err = newEmbedded(ctx, &o); err != nil {
			return nil, err
		}
	}
	if b.conn, err = b.connect(ctx); err != nil {
		return nil, err
	}
	if b.js, err = jetstream.New(b.conn, jetstream.WithPublishAsyncTimeout(o.timing.request), jetstream.WithDefaultTimeout(o.timing.ack)); err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	if size := b.conn.MaxPayload(); size < maxMessage {
		return nil, fmt.Errorf("bus: max_payload of the NATS server is %d bytes: set it to %d, the default, or more", size, maxMessage)
	}
	return b, b.retry(ctx, func() error {
		_, err := b.open(ctx)
		return err
	})
}

// OpenLog finds where the node's log begins.
func (b *Bus) OpenLog(ctx context.Context, l Log) error {
	if err := l.validate(); err != nil {
		return fmt.Errorf("bus: %w", err)
	}
	b.o.Log, b.decoder = l, batch.NewDecoder(l.Universe, l.Events)
	if err := b.retry(ctx, func() error { return b.begin(ctx) }); err != nil {
		return err
	}
	b.o.Logger.Info("bus opened", "epoch", fmt.Sprintf("%x", b.view.epoch), "from", b.view.head, "messages", b.target-b.view.sequence)
	return nil
}

// usualWait is how long nodes and NATS servers that start at the same time usually wait for each other.
const usualWait = 10 * time.Second

// retry calls a function until it succeeds, ctx is done, or the stream can't be used at all.
func (b *Bus) retry(ctx context.Context, try func() error) error {
	var log logged
	last := slog.LevelInfo // of the newest record
	for start := time.Now(); ; {
		err := try()
		if err == nil {
			return nil
		}
		missing := errors.Is(err, jetstream.ErrBucketNotFound) || errors.Is(err, jetstream.ErrStreamNotFound)
		if missing && !b.o.Lead {
			err = fmt.Errorf("no server has created stream %s yet: start one with bus.lead true: %w", b.o.Prefix, err)
		}
		err = explainOpen(err, b.conn.LastError())
		if ctx.Err() != nil || errors.Is(err, errMismatch) {
			return fmt.Errorf("bus: %w", err)
		}
		b.o.OnWait(err)
		took, level := time.Since(start), slog.LevelWarn
		if (missing || errors.Is(err, natserr.ErrAway)) && took < usualWait {
			level = slog.LevelInfo
		}
		if log.changed(err) || level > last {
			last = level
			b.o.Logger.Log(ctx, level, "the stream isn't available, trying again every second", "err", err, "took", took.Round(time.Second))
		}
		if !sleep(ctx, time.Second) {
			return fmt.Errorf("bus: %w", err)
		}
	}
}

// begin finds the start of the node's log.
func (b *Bus) begin(ctx context.Context) error {
	epoch, err := b.open(ctx)
	if err != nil {
		return err
	}
	record, err := b.resume(ctx, epoch) // requests for earlier ticks need the instruments
	if err != nil {
		return err
	}
	wanted := uint64(math.MaxInt64)
	if b.o.From != nil {
		if wanted, err = b.o.From(ctx, b.conn, epoch); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 4*b.o.timing.ack)
	defer cancel()
	v, last, err := b.findStart(ctx, record, wanted)
	if err == nil && v.epoch != epoch {
		err = errForeign // it has just begun
	}
	if err != nil {
		return err
	}
	v.grow(b.o.Universe.Len())
	b.view, b.first, b.target = v, v.sequence, last
	b.start = v.state()
	b.health.checked = time.Now()
	return nil
}

// open opens the stream and the buckets, and returns the epoch of the stream.
func (b *Bus) open(ctx context.Context) (epoch uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 4*b.o.timing.ack)
	defer cancel()
	if err := b.openBuckets(ctx); err != nil {
		return 0, err
	}
	if b.stream, err = b.openStream(ctx); err != nil {
		return 0, err
	}
	info, err := b.stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("stream %s: %w", b.streamName(), err)
	}
	if epoch = epochOf(info); epoch == 0 {
		return 0, fmt.Errorf("stream %s has no epoch: %w: delete it, or choose another bus.nats.stream", b.streamName(), errMismatch)
	}
	if more := info.Config.Replicas; more > b.o.Replicas {
		b.o.Logger.Warn("bus.nats.replicas is lower than that of the stream, which is kept: set the same on all servers", "here", b.o.Replicas, "stream", more)
		b.o.Replicas = more
	}
	return epoch, b.agree(info.Config.Metadata)
}

// Start returns where the node's log begins: the position before the first tick that Run delivers. A symbol has no newest tick and N
// 0 if it had no tick before, or if Run delivers its newest one.
func (b *Bus) Start() bus.State { return b.start }

// Attach adds a sink. The sinks are called in the order in which they were attached, one batch after the other. Attach must not be
// called after Run or Lead.
func (b *Bus) Attach(s bus.Sink) { b.sinks = append(b.sinks, s) }

// Ready reports whether the node has read all that was in the stream when the bus was opened.
func (b *Bus) Ready() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.view.sequence >= b.target
}

// Progress returns how many messages the node has read of those that were in the stream when the bus was opened.
func (b *Bus) Progress() (read, all uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return min(b.view.sequence, b.target) - b.first, b.target - b.first
}

// Close closes the connection, and ends the embedded server. Run and Lead must have returned.
func (b *Bus) Close() {
	if b.conn != nil {
		if b.embedded != nil {
			_ = b.conn.FlushTimeout(stopTimeout) // so that the server knows of all requests
		}
		b.conn.Close()
	}
	if b.embedded != nil {
		b.embedded.stop()
	}
}

// State returns the state of the log up to the newest tick that was read.
func (b *Bus) State() bus.State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.view.state()
}

// current returns what the node has read, without the ticks.
func (b *Bus) current() view {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.view
	v.newest = nil
	return v
}

// wait waits until the node has read so much that done reports true. It fails when ctx is done.
func (b *Bus) wait(ctx context.Context, done func(*view) bool) error {
	for {
		b.mu.Lock()
		ok, moved := done(&b.view), b.moved
		b.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-moved:
		}
	}
}

// advance makes a change of the view and wakes those who wait for it.
func (b *Bus) advance(change func(*view)) {
	b.mu.Lock()
	change(&b.view)
	close(b.moved)
	b.moved = make(chan struct{})
	b.mu.Unlock()
}

// finish makes Run return an error.
func (b *Bus) finish(err error) {
	b.endOnce.Do(func() {
		b.end = err
		close(b.ended)
		b.advance(func(*view) {}) // wakes those who wait
	})
}

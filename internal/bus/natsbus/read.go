package natsbus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
)

// Run reads the stream and passes its ticks to the sinks until ctx is done; it returns nil then. While the server fails it tries
// again. It returns ErrEpoch when the log can't be continued.
func (b *Bus) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		b.watch(ctx)
	}()
	defer func() { <-watched }()
	defer cancel()
	var log logged
	for {
		err := b.read(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case b.hasEnded():
			return b.end
		}
		if !errors.Is(err, errRestart) {
			err = b.explain(err)
			if log.changed(err) {
				b.o.Logger.Warn("reading the stream again", "err", err)
			}
			b.mu.Lock()
			b.health.readError = err
			b.mu.Unlock()
		}
		if errors.Is(err, errConflict) || errors.Is(err, errRead) {
			b.spoil(ctx)
		}
		select {
		case <-ctx.Done():
		case <-b.ended:
		case <-time.After(b.o.timing.check / 10):
		}
	}
}

func (b *Bus) hasEnded() bool {
	select {
	case <-b.ended:
		return true
	default:
		return false
	}
}

// errRestart means that the reader needs a new consumer. Nothing has failed.
var errRestart = errors.New("a new consumer is needed")

// read reads messages until one can't be accepted, the consumer fails, b.again receives or the bus has ended.
//
// This isn't jetstream's OrderedConsumer: it waits 10 s for the answer to a request that was sent while the connection failed.
func (b *Bus) read(ctx context.Context) (err error) {
	inbox := b.conn.NewInbox()
	messages, err := b.conn.SubscribeSync(inbox)
	if err != nil {
		return fmt.Errorf("consumer: %w", err)
	}
	unsubscribe := func() { _ = messages.Unsubscribe() } // the server deletes the consumer then
	defer unsubscribe()
	ctx, cancel := context.WithCancelCause(ctx)
	defer func() {
		if errors.Is(context.Cause(ctx), errRestart) {
			err = errRestart
		}
		cancel(nil)
	}()
	defer context.AfterFunc(ctx, unsubscribe)()
	go func() {
		select {
		case <-ctx.Done():
		case <-b.again:
			cancel(errRestart)
		case <-b.ended:
			cancel(nil)
		}
	}()
	setup, done := context.WithTimeout(ctx, b.o.timing.request)
	defer done()
	_, err = b.js.CreatePushConsumer(setup, b.streamName(), jetstream.ConsumerConfig{
		DeliverSubject: inbox, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: b.current().sequence + 1,
		AckPolicy: jetstream.AckNonePolicy, MaxDeliver: 1, MemoryStorage: true, Replicas: 1, FlowControl: true, IdleHeartbeat: b.o.timing.heartbeat,
		InactiveThreshold: time.Minute,
	})
	if err != nil {
		return fmt.Errorf("consumer: %w", err)
	}
	for delivered := uint64(1); ; {
		m, err := messages.NextMsg(2 * b.o.timing.heartbeat)
		if errors.Is(err, nats.ErrTimeout) {
			return fmt.Errorf("no heartbeat of NATS for %s", 2*b.o.timing.heartbeat)
		}
		if err != nil {
			return fmt.Errorf("consumer: %w", err)
		}
		switch status := m.Header.Get("Status"); status {
		case "":
		case "100": // a heartbeat, or a request of flow control: ADR-15
			if reply := cmp.Or(m.Reply, m.Header.Get("Nats-Consumer-Stalled")); reply != "" {
				_ = b.conn.Publish(reply, nil)
			}
			b.mu.Lock()
			b.health.readError = nil // there is nothing to read
			b.mu.Unlock()
			continue
		default:
			return fmt.Errorf("consumer: %s %s", status, m.Header.Get("Description"))
		}
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("consumer: %w", err)
		}
		if meta.Sequence.Consumer != delivered {
			return fmt.Errorf("consumer: message %d: %w", meta.Sequence.Stream, errGap)
		}
		delivered++
		if err := b.handle(ctx, m, meta); err != nil {
			return err
		}
	}
}

// handle delivers the ticks of a message.
func (b *Bus) handle(ctx context.Context, msg *nats.Msg, meta *nats.MsgMetadata) error {
	sequence := meta.Sequence.Stream
	m, err := parseMessage(msg.Header, sequence, meta.Timestamp)
	if err != nil {
		// Nothing that this program has published. The writer has to read it, too, before it can go on.
		b.o.Logger.Warn("invalid message in the stream", "err", err)
		b.advance(func(v *view) { v.sequence = max(v.sequence, sequence) })
		return nil
	}
	b.deliver.Lock()
	defer b.deliver.Unlock()
	v := &b.view // only changed with deliver locked
	if sequence <= v.sequence {
		return nil
	}
	switch v.classify(&m) {
	case gap:
		return b.missing(ctx, &m)
	case conflict:
		return errConflict
	case foreign:
		if err := b.compareEpoch(ctx); err != nil {
			return err
		}
		fallthrough // of a former writer
	case skip:
		b.advance(func(v *view) { v.sequence = sequence })
		return nil
	}
	var ticks []quote.Tick
	if m.writer == "" {
		x, err := b.decode(&m, msg.Data)
		if err == nil && sequence > b.learned {
			err = b.learn(x, Source.Apply)
		}
		if err != nil {
			return b.unreadable(sequence, err)
		}
		ticks = x.Ticks
	}
	for len(ticks) > 0 && ticks[0].Seq <= v.head {
		ticks = ticks[1:] // this node has passed them before they were stored: AckBefore
	}
	b.pass(ticks)
	b.advance(func(v *view) {
		v.sequence = sequence
		v.apply(&m, ticks)
		b.health.readError = nil
		if sequence > b.target { // what was stored before has waited for this node
			b.health.reads.add(time.Since(m.stored))
		}
	})
	return nil
}

// unreadable returns the error of a message whose content can't be used.
func (b *Bus) unreadable(sequence uint64, err error) error {
	err = fmt.Errorf("message %d: %w", sequence, err)
	switch {
	case errors.Is(err, batch.ErrLimit):
		b.finish(err)
	case errors.Is(err, errInstruments), errors.Is(err, batch.ErrMissing) && !b.view.complete:
		b.finish(fmt.Errorf("%w: %w", ErrEpoch, err))
	case !errors.Is(err, batch.ErrVersion) && !errors.Is(err, batch.ErrMissing):
		return fmt.Errorf("%w: %w", errRead, err) // for all nodes alike
	}
	return err
}

// pass passes ticks to the sinks. b.deliver is locked.
func (b *Bus) pass(ticks []quote.Tick) {
	if len(ticks) == 0 {
		return
	}
	for _, sink := range b.sinks {
		sink(ticks)
	}
}

// missing handles a message before which others are missing: they can be read again, unless the stream has deleted or lost them.
func (b *Bus) missing(ctx context.Context, m *message) error {
	info, err := b.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("tick %d follows %d: %w", m.first, b.view.head, err)
	}
	if info.State.FirstSeq > b.view.sequence+1 {
		b.o.Logger.Warn("the stream no longer has the ticks that follow: if this comes again, raise bus.nats.max_bytes or bus.nats.max_age", "after", b.view.head, "first", m.first)
		b.finish(ErrEpoch)
		return ErrEpoch
	}
	if m.sequence == b.view.sequence+1 {
		return errConflict // there is nothing in between to read
	}
	return fmt.Errorf("tick %d follows %d: %w", m.first, b.view.head, errGap)
}

// compareEpoch fails if the stream has another epoch than the node's log.
func (b *Bus) compareEpoch(ctx context.Context) error {
	info, err := b.stream.Info(ctx)
	if err != nil {
		return err
	}
	if epochOf(info) != b.view.epoch {
		b.finish(ErrEpoch)
		return ErrEpoch
	}
	return nil
}

package natsbus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/bus/natserr"
)

var errNoEmbedded = errors.New("not connected to the embedded NATS server")

// disconnected returns an error if the connection is lost.
func (b *Bus) disconnected() error {
	switch {
	case b.conn.IsConnected():
		return nil
	case b.embedded != nil:
		return errNoEmbedded
	}
	return natserr.ErrDisconnected
}

// watch compares the node's log with the stream from time to time: a consumer gets no error when the stream has been replaced, and
// when it has lost its end, a consumer waits for the next message that it expects in silence (nats-io/nats-server#5412). It sends
// to b.again when a new consumer is needed.
func (b *Bus) watch(ctx context.Context) {
	var before check
	var log logged
	for {
		now, err := b.check(ctx)
		err = b.explain(err)
		if ctx.Err() != nil || b.hasEnded() {
			return
		}
		b.mu.Lock()
		b.health.checkError = err
		if err == nil {
			b.health.checked, b.health.last, b.health.holder = time.Now(), now.last, now.holder
			if now.holder != "" {
				b.health.unwritten = time.Time{}
			} else if b.health.unwritten.IsZero() {
				b.health.unwritten = time.Now()
			}
		}
		b.mu.Unlock()
		switch {
		case err != nil:
			if log.changed(err) {
				b.o.Logger.Warn("the stream isn't available", "err", err)
			}
			before = check{}
			now = check{}
		case now.lost && before.lost: // twice: a server that has just started may not know yet
			b.rewind(ctx)
			now = check{}
		case before.last > before.read && now.read == before.read:
			notify(b.again)
		}
		before = now
		select {
		case <-ctx.Done():
			return
		case <-b.ended:
			return
		case <-time.After(b.o.timing.check):
		}
	}
}

// check is the result of a comparison.
type check struct {
	last   uint64 // sequence of the newest message
	read   uint64 // sequence up to which the node had read before
	lost   bool   // messages that the node has read
	holder string // of the lease
}

// check compares the node's log with the stream. It ends the bus if the epochs differ.
func (b *Bus) check(ctx context.Context) (check, error) {
	if err := b.disconnected(); err != nil {
		return check{}, err
	}
	if err := b.mend(); err != nil {
		return check{}, err
	}
	// A request that is sent while the connection fails has no answer.
	ctx, cancel := context.WithTimeout(ctx, b.o.timing.request)
	defer cancel()
	v := b.current()
	info, err := b.streamInfo(ctx)
	if errors.Is(err, jetstream.ErrStreamNotFound) && b.o.Lead {
		if _, err = b.openStream(ctx); err == nil {
			info, err = b.streamInfo(ctx)
		}
	}
	if err != nil {
		return check{}, err
	}
	if epoch := epochOf(info); epoch != 0 && epoch != v.epoch {
		b.o.Logger.Info("new epoch", "epoch", fmt.Sprintf("%x", epoch), "before", fmt.Sprintf("%x", v.epoch))
		b.finish(ErrEpoch)
	}
	holder, err := b.lease.holder(ctx)
	return check{last: info.State.LastSeq, read: v.sequence, lost: info.State.LastSeq < v.sequence, holder: holder}, err
}

// mend ends the bus if the embedded server has failed to write to its store and could write again: it has to start again then.
func (b *Bus) mend() error {
	if b.embedded == nil || !b.embedded.failed.Load() {
		return nil
	}
	if err := b.embedded.writable(); err != nil {
		return fmt.Errorf("nothing is stored: %w: make room, or mend the disk", err)
	}
	b.o.Logger.Warn("the store can be written again, starting the embedded NATS server again", "dir", b.o.Dir)
	b.finish(ErrEpoch)
	return ErrEpoch
}

// rewind handles a stream whose newest message comes before those that the node has read. Its leader may lag behind the server from which
// the node reads, as with a slow disk. If it has lost its end, a writer notices that when it publishes or begins a term; then the messages
// of that term follow here.
func (b *Bus) rewind(ctx context.Context) {
	v := b.current()
	b.mu.Lock()
	t := b.writing
	b.mu.Unlock()
	idle := t != nil && t.idle() // before the request: then the leader knows all that is stored
	info, err := b.streamInfo(ctx)
	if err != nil || info.State.LastSeq >= v.sequence {
		return
	}
	newest, err := b.newestMessage(ctx, &info.State)
	if err != nil {
		return
	}
	switch {
	case newest == nil || newest.epoch != v.epoch || newest.term <= v.term:
		if idle {
			t.lose(errEnd)
		}
	case newest.begins <= v.head || newest.opens <= v.batch:
		b.spoil(ctx)
	default:
		messages := newest.lastBatch() + 2 - newest.opens // of the term
		b.readAgain(newest.term, info.State.LastSeq-min(messages, info.State.LastSeq))
	}
}

// readAgain makes the node read the messages after a sequence again, unless it has begun to read a term. Those that it knows are skipped.
func (b *Bus) readAgain(term, sequence uint64) {
	b.deliver.Lock()
	defer b.deliver.Unlock()
	if b.view.term >= term || b.view.sequence <= sequence {
		return
	}
	b.learned = min(b.learned, sequence)
	b.advance(func(v *view) { v.sequence = sequence })
	notify(b.again)
}

// streamInfo returns the state of the stream as its leader knows it.
func (b *Bus) streamInfo(ctx context.Context) (*jetstream.StreamInfo, error) {
	info, err := b.stream.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", b.streamName(), err)
	}
	if lag := b.o.faults.lag; lag != nil {
		info.State.LastSeq -= min(lag(), info.State.LastSeq)
	}
	return info, nil
}

// spoil marks the epoch, so that the writer begins a new one. This node may be that writer without having read everything: it may be
// unable to.
func (b *Bus) spoil(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, b.o.timing.ack)
	defer cancel()
	first, err := b.marks.spoil(ctx, b.current().epoch)
	if err != nil {
		b.o.Logger.Warn("the need of a new epoch couldn't be stored", "err", b.explain(err))
		return
	}
	if first {
		b.o.Logger.Error("the stream has lost ticks that were read: a new epoch is needed")
	}
	b.advance(func(*view) { b.spoiled = true })
}

// notify sends to a channel of one element unless it is full.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

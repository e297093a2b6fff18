package share

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/bus/natserr"
)

// mirror follows the entries of a bucket: first all that are in it, then each change. It begins again after a connection was lost, and
// when it notices that the bucket has other entries than those that it got. Its functions are called from one goroutine.
type mirror struct {
	bucket   *bucket
	begin    func()                        // a reading of the bucket begins
	entry    func(jetstream.KeyValueEntry) // a value, or a key that was removed
	complete func()                        // the reading has got what was in the bucket when it began
}

// errAgain means that a reading must begin again.
var errAgain = errors.New("reading the bucket again")

// run follows the bucket until ctx is done.
func (m *mirror) run(ctx context.Context) {
	o := m.bucket.o
	failed := false // since the last reading
	for ctx.Err() == nil {
		err := m.follow(ctx, func() { failed = false })
		if errors.Is(err, errAgain) || ctx.Err() != nil {
			continue
		}
		if !failed {
			o.Logger.Warn("changes of other nodes aren't received, trying again", "bucket", m.bucket.name, "err", natserr.Explain(err))
		}
		failed = true
		sleep(ctx, o.timing.retry)
	}
}

// load reads the bucket once.
func (m *mirror) load(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	complete := false
	err := m.follow(ctx, func() {
		complete = true
		cancel()
	})
	if complete {
		return nil
	}
	return err
}

// follow reads the bucket until ctx is done or the reading must begin again. It calls complete, then ready, when it has got what was in
// the bucket.
func (m *mirror) follow(ctx context.Context, ready func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := m.bucket.o
	changes := o.Conn.StatusChanged(nats.CONNECTED)
	defer o.Conn.RemoveStatusListener(changes)
	if err := m.bucket.open(ctx); err != nil {
		return err
	}
	kv, err := o.JS.KeyValue(ctx, m.bucket.name)
	if err != nil {
		return fmt.Errorf("bucket %s: %w", m.bucket.name, err)
	}
	first, err := m.bucket.state(ctx)
	if err != nil {
		return err
	}
	w, err := kv.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("bucket %s: %w", m.bucket.name, err)
	}
	defer func() {
		_ = w.Stop()
		for range w.Updates() { // until it is closed: its sender may wait
		}
	}()
	m.begin()
	var seen, expected uint64 // sequences
	check := time.NewTicker(o.timing.check)
	defer check.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changes:
			return errAgain
		case e, ok := <-w.Updates():
			switch {
			case !ok:
				return errAgain
			case e == nil:
				seen = max(seen, first.last)
				m.complete()
				ready()
			default:
				seen = max(seen, e.Revision())
				m.entry(e)
			}
		case <-check.C:
			if !o.Conn.IsConnected() {
				continue // it would wait for an answer in vain
			}
			now, err := m.bucket.state(ctx)
			switch {
			case errors.Is(err, jetstream.ErrStreamNotFound):
				return errAgain // it was deleted
			case err != nil:
				continue // without an answer there is nothing to compare
			case !now.created.Equal(first.created), now.last < seen, seen < expected:
				return errAgain // it is another bucket, has lost entries, or those of the last comparison didn't arrive
			case now.first > seen && first.first <= seen:
				return errAgain // it may have been purged: all entries are gone
			}
			expected = now.last
		}
	}
}

// bucketState is what a mirror compares.
type bucketState struct {
	created     time.Time
	first, last uint64 // sequences of the oldest and the newest entry; without any, first is that of the next one
}

func (b *bucket) state(ctx context.Context) (bucketState, error) {
	ctx, cancel := context.WithTimeout(ctx, b.o.timing.wait)
	defer cancel()
	info, err := b.stream.Load().Info(ctx)
	if err != nil {
		return bucketState{}, fmt.Errorf("bucket %s: %w", b.name, err)
	}
	return bucketState{info.Created, info.State.FirstSeq, info.State.LastSeq}, nil
}

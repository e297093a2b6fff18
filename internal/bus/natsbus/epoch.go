package natsbus

import (
	"context"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// changeEpoch begins a new epoch, with an empty stream. This node has the lease. If it is interrupted, the mark and the stream have
// different epochs, so the next writer begins another one.
func (b *Bus) changeEpoch(ctx context.Context, reason string) error {
	epoch := newEpoch()
	b.o.Logger.Error("new epoch: clients get the whole state again", "reason", reason, "epoch", fmt.Sprintf("%x", epoch), "before", fmt.Sprintf("%x", b.current().epoch))
	if err := b.marks.begin(ctx, epoch); err != nil {
		return fmt.Errorf("new epoch: %w", err)
	}
	stream, err := b.js.UpdateStream(ctx, b.streamConfig(epoch))
	if err != nil {
		return fmt.Errorf("new epoch: %w", err)
	}
	if err := stream.Purge(ctx); err != nil {
		return fmt.Errorf("new epoch: %w", err)
	}
	b.finish(ErrEpoch)
	return ErrEpoch
}

// adjust gives the stream the configuration that it must have: the limits of the options may have changed since it was created, and
// an operator may have edited it. This node has the lease.
func (b *Bus) adjust(ctx context.Context, info *jetstream.StreamInfo) error {
	c, now := b.streamConfig(epochOf(info)), &info.Config
	c.Replicas = max(c.Replicas, now.Replicas)
	if now.MaxBytes == c.MaxBytes && now.MaxAge == c.MaxAge && now.Replicas == c.Replicas && now.MaxMsgs == c.MaxMsgs &&
		now.MaxMsgsPerSubject == c.MaxMsgsPerSubject && now.Discard == c.Discard && slices.Equal(now.Subjects, c.Subjects) {
		return nil
	}
	if _, err := b.js.UpdateStream(ctx, c); err != nil {
		return fmt.Errorf("configuration of stream %s: %w", b.streamName(), err)
	}
	b.o.Logger.Warn("configuration of the stream changed to that of this node", "bytes", c.MaxBytes, "age", c.MaxAge, "replicas", c.Replicas,
		"bytes_before", now.MaxBytes, "age_before", now.MaxAge, "replicas_before", now.Replicas)
	return nil
}

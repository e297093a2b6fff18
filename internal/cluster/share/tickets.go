package share

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/auth"
)

// tickets implements auth.TicketStore.
type tickets struct{ bucket *bucket }

func ticketBucket(o *Options) *bucket {
	return newBucket(o, "tickets", "Tickets of Ticklane's clients", jetstream.StreamConfig{
		Storage: jetstream.MemoryStorage, MaxAge: auth.TicketTime, MaxMsgSize: 64 << 10, MaxBytes: 8 << 20,
	})
}

// Put implements auth.TicketStore.
func (t *tickets) Put(ctx context.Context, key string, value []byte) error {
	err := t.bucket.put(ctx, key, value, 0, 0)
	if gone(err) && t.bucket.open(ctx) == nil {
		err = t.bucket.put(ctx, key, value, 0, 0)
	}
	switch {
	case full(err):
		return fmt.Errorf("%w: %w", auth.ErrBusy, err)
	case err != nil:
		return fmt.Errorf("%w: %w", auth.ErrStoreAway, err)
	}
	return nil
}

// Take implements auth.TicketStore. A node whose answer to the removal is lost doesn't have the ticket, and no other gets it.
func (t *tickets) Take(ctx context.Context, key string) ([]byte, error) {
	value, revision, err := t.bucket.get(ctx, key)
	if err == nil && value == nil {
		return nil, auth.ErrNoTicket
	}
	if err == nil {
		err = t.bucket.remove(ctx, key, revision)
	}
	switch {
	case errors.Is(err, errConflict): // another node was faster
		return nil, auth.ErrNoTicket
	case err != nil:
		return nil, fmt.Errorf("%w: %w", auth.ErrStoreAway, err)
	}
	return value, nil
}

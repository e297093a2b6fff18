package natsbus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// lease is a key of a bucket whose values expire. Its holder may write.
//
// The time to live is the bucket's: Update sends none for a key, so one of the key would end with the first renewal and the key
// would stay forever.
type lease struct {
	kv jetstream.KeyValue
	o  *Options
	id string // of this bus
}

const leaseKey = "writer"

var (
	errLost      = errors.New("lost the lease: another server has it")
	errUnrenewed = errors.New("lost the lease")
	errHeld      = errors.New("another node has the lease")
)

// holder is the value of the lease.
type holder struct {
	Name string `json:"name"`
	ID   string `json:"id"` // of its bus
}

func (l *lease) open(ctx context.Context, b *Bus) (err error) {
	l.o, l.id = &b.o, nuid.Next()
	l.kv, err = bucket(ctx, b, l.config())
	if err == nil && b.embedded != nil {
		err = l.kv.Delete(ctx, leaseKey) // of a process that was killed
	}
	return err
}

func (l *lease) config() jetstream.KeyValueConfig {
	return jetstream.KeyValueConfig{
		Bucket: l.o.Prefix + "_lease", History: 1, TTL: l.o.timing.lease, Storage: jetstream.FileStorage, Replicas: l.o.Replicas,
	}
}

// bucket opens a bucket. A node that may write creates it, or updates it. It doesn't wait for long: of several nodes that create the same
// at once not all get an answer, and none comes from a bucket that has no leader yet.
func bucket(ctx context.Context, b *Bus, c jetstream.KeyValueConfig) (jetstream.KeyValue, error) {
	ctx, cancel := context.WithTimeout(ctx, b.o.timing.request)
	defer cancel()
	kv, err := b.js.KeyValue(ctx, c.Bucket)
	if !b.o.Lead || err != nil && !errors.Is(err, jetstream.ErrBucketNotFound) {
		return kv, err
	}
	if err == nil {
		status, err := kv.Status(ctx)
		if err != nil {
			return nil, err
		}
		now := status.Config()
		c.Replicas = max(c.Replicas, now.Replicas) // a node with fewer must not lower them for all
		if now.Replicas == c.Replicas && now.TTL == c.TTL {
			return kv, nil
		}
	}
	return b.js.CreateOrUpdateKeyValue(ctx, c)
}

// holder returns the name of the node with the lease, empty if none has it.
func (l *lease) holder(ctx context.Context) (string, error) {
	e, err := l.kv.Get(ctx, leaseKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("lease: %w", err)
	}
	var h holder
	if err := json.Unmarshal(e.Value(), &h); err != nil {
		return "", fmt.Errorf("lease: %w", err)
	}
	return h.Name, nil
}

// holding is a lease that this node has.
type holding struct {
	*lease
	value    []byte
	revision uint64
	renewed  time.Time // start of the newest renewal, by the monotonic clock
}

// acquire gets the lease. The error wraps errHeld if another node has it.
func (l *lease) acquire(ctx context.Context) (*holding, error) {
	ctx, cancel := context.WithTimeout(ctx, l.o.timing.stepDown)
	defer cancel()
	h := &holding{lease: l, renewed: time.Now()}
	var err error
	if h.value, err = json.Marshal(holder{l.o.Name, l.id}); err != nil {
		return nil, err
	}
	h.revision, err = l.kv.Create(ctx, leaseKey, h.value)
	if errors.Is(err, jetstream.ErrKeyExists) {
		// It may be this bus's own: the answer to an attempt before didn't arrive.
		e, err := l.kv.Get(ctx, leaseKey)
		var now holder
		if err != nil || json.Unmarshal(e.Value(), &now) != nil || now.ID != l.id {
			return nil, errHeld
		}
		h.revision = e.Revision()
		return h, h.renew(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("lease: %w", err)
	}
	return h, nil
}

// keep renews the lease until ctx is done; it returns nil then. It returns an error once the lease is lost, or not renewed in time.
func (h *holding) keep(ctx context.Context) error {
	for {
		if !sleep(ctx, h.o.timing.renew) {
			return nil
		}
		start := time.Now()
		err := h.renew(ctx)
		for err != nil && !errors.Is(err, errLost) && time.Since(h.renewed) < h.o.timing.stepDown {
			if !sleep(ctx, h.o.timing.renew/10) {
				return nil
			}
			start = time.Now()
			err = h.renew(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && h.o.faults.keepLease != nil && h.o.faults.keepLease():
		case errors.Is(err, errLost):
			return err
		case err != nil:
			return fmt.Errorf("%w: NATS didn't renew it within %s, so another server may write now: %w", errUnrenewed, h.o.timing.stepDown, err)
		default:
			h.renewed = start
		}
	}
}

func (h *holding) renew(ctx context.Context) error {
	ctx, cancel := context.WithDeadline(ctx, h.renewed.Add(h.o.timing.stepDown))
	defer cancel()
	revision, err := h.kv.Update(ctx, leaseKey, h.value, h.revision)
	if err == nil {
		h.revision = revision
		return nil
	}
	if !errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return fmt.Errorf("lease: %w", err)
	}
	// Either another node has it, or the answer to a renewal didn't arrive.
	e, err := h.kv.Get(ctx, leaseKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return errLost
	}
	if err != nil {
		return fmt.Errorf("lease: %w", err)
	}
	var now holder
	if json.Unmarshal(e.Value(), &now) != nil || now.ID != h.id {
		return errLost
	}
	h.revision = e.Revision()
	return errors.New("lease: a renewal had no answer")
}

// release ends the lease, so that another node needn't wait until it expires.
func (h *holding) release() {
	ctx, cancel := context.WithTimeout(context.Background(), h.o.timing.request)
	defer cancel()
	err := h.kv.Delete(ctx, leaseKey, jetstream.LastRevision(h.revision))
	if !errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return // or it expires
	}
	// A renewal may have been stored without an answer.
	e, err := h.kv.Get(ctx, leaseKey)
	var now holder
	if err == nil && json.Unmarshal(e.Value(), &now) == nil && now.ID == h.id {
		_ = h.kv.Delete(ctx, leaseKey, jetstream.LastRevision(e.Revision()))
	}
}

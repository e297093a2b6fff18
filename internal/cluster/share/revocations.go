package share

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/auth"
	"ticklane/internal/bus/natserr"
)

// revocations implements auth.RevocationStore. Each is an entry of a bucket, under the hash of what it revokes, and expires with it. None
// is ever lifted: what one node has, all get.
type revocations struct {
	o      *Options
	bucket *bucket
	mirror mirror
	wake   chan struct{} // of one element: there may be something to store

	mu      sync.Mutex
	stored  map[string]auth.Revocation // that the bucket has, as far as it was read
	pending map[string]auth.Revocation // that it must get; bounded by what auth.Revocations keeps
	compare bool                       // what this node has must be compared with stored
	got     []auth.Revocation          // during a reading of the bucket; used by the mirror only
	reading bool                       // the same
	ignored throttledLog
}

// maxStored bounds what a bucket can make a node keep.
const maxStored = 250_000

func newRevocations(o *Options) *revocations {
	r := &revocations{o: o, wake: make(chan struct{}, 1), stored: map[string]auth.Revocation{}, pending: map[string]auth.Revocation{}}
	r.bucket = newBucket(o, "revoked", "Revocations of Ticklane's credentials", jetstream.StreamConfig{
		Storage: jetstream.FileStorage, MaxMsgSize: 8 << 10, MaxBytes: 64 << 20,
	})
	r.mirror = mirror{bucket: r.bucket, begin: r.begin, entry: r.entry, complete: r.complete}
	return r
}

// load reads the revocations of all nodes once.
func (r *revocations) load(ctx context.Context) error { return r.mirror.load(ctx) }

// run passes revocations in both directions until ctx is done.
func (r *revocations) run(ctx context.Context) {
	var following sync.WaitGroup
	defer following.Wait()
	following.Go(func() { r.mirror.run(ctx) })
	expiry := time.NewTicker(time.Minute)
	defer expiry.Stop()
	waiting := false // for NATS, since what is pending couldn't be stored
	for {
		select {
		case <-ctx.Done():
			if r.count() == 0 {
				return
			}
			if err := r.storePending(context.Background()); err != nil { // the last attempt
				r.o.Logger.Warn("revocations weren't stored for the other nodes: with auth.revocations this one passes them on after its next start, without it revoke again",
					"count", r.count(), "err", natserr.Explain(err))
			}
			return
		case <-expiry.C:
			r.removeExpired(time.Now())
			continue
		case <-r.wake:
		}
		r.collect()
		err := r.storePending(ctx)
		if ctx.Err() != nil {
			continue
		}
		if err != nil {
			if !waiting {
				r.o.Logger.Warn("revocations aren't stored for the other nodes yet, trying again", "count", r.count(), "err", natserr.Explain(err))
			}
			waiting = true
			sleep(ctx, r.o.timing.retry)
			r.signal()
		} else if waiting {
			waiting = false
			r.o.Logger.Info("revocations stored for the other nodes")
		}
	}
}

// Publish implements auth.RevocationStore.
func (r *revocations) Publish(one auth.Revocation) error {
	key := one.Target()
	r.mu.Lock()
	r.add(key, one)
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), r.o.timing.wait)
	defer cancel()
	err := r.store(ctx, key)
	if err != nil {
		r.signal()
	}
	return err
}

// Changed implements auth.RevocationStore.
func (r *revocations) Changed() {
	r.mu.Lock()
	r.compare = true
	r.mu.Unlock()
	r.signal()
}

func (r *revocations) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *revocations) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pending)
}

// add makes a revocation pending unless the bucket has it. It is called with mu held.
func (r *revocations) add(key string, one auth.Revocation) {
	if stored, ok := r.stored[key]; ok && covers(stored, one) {
		return
	}
	if before, ok := r.pending[key]; ok {
		one = one.Union(before)
	}
	r.pending[key] = one
}

// covers reports whether one revocation revokes all that another of the same target does.
func covers(one, other auth.Revocation) bool {
	all := one.Union(other)
	return all.Before.Equal(one.Before) && all.Expires.Equal(one.Expires)
}

// collect makes pending what this node has and the bucket hasn't.
func (r *revocations) collect() {
	r.mu.Lock()
	compare := r.compare
	r.compare = false
	r.mu.Unlock()
	if !compare {
		return
	}
	own := r.o.Service.Revocations.Shared()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range own {
		r.add(one.Target(), one)
	}
}

// storePending stores what is pending. It gives up at the first error.
func (r *revocations) storePending(ctx context.Context) error {
	r.mu.Lock()
	keys := make([]string, 0, len(r.pending))
	for key := range r.pending {
		keys = append(keys, key)
	}
	r.mu.Unlock()
	for _, key := range keys {
		ctx, cancel := context.WithTimeout(ctx, r.o.timing.wait)
		err := r.store(ctx, key)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// store writes the pending revocation of a key, joined with what other nodes have stored there.
func (r *revocations) store(ctx context.Context, key string) error {
	r.mu.Lock()
	one, ok := r.pending[key]
	r.mu.Unlock()
	if !ok {
		return nil
	}
	all := one
	var revision uint64
	for {
		var ttl time.Duration
		if !all.Expires.IsZero() {
			if ttl = time.Until(all.Expires.Add(auth.RevocationMargin)); ttl <= 0 {
				break
			}
		}
		value, err := json.Marshal(&all)
		if err != nil {
			return err
		}
		if err = r.bucket.put(ctx, key, value, ttl, revision); err == nil {
			break
		}
		if gone(err) {
			_ = r.bucket.open(ctx)
		}
		if !errors.Is(err, errConflict) {
			return err
		}
		if value, revision, err = r.bucket.get(ctx, key); err != nil {
			return err
		}
		if stored, ok := r.parse(key, value); ok {
			if all = one.Union(stored); covers(stored, all) {
				break
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now, ok := r.pending[key]; ok && covers(all, now) {
		delete(r.pending, key)
	}
	if len(r.stored) < maxStored {
		r.stored[key] = all
	}
	return nil
}

// parse reads an entry of the bucket. Another client of NATS may have written it.
func (r *revocations) parse(key string, value []byte) (auth.Revocation, bool) {
	if value == nil {
		return auth.Revocation{}, false
	}
	one, err := parseRevocation(key, value)
	if err != nil {
		r.ignored.warn(r.o.Logger, "invalid entries of a bucket ignored", "bucket", r.bucket.name, "err", err)
	}
	return one, err == nil
}

func parseRevocation(key string, value []byte) (auth.Revocation, error) {
	one, err := auth.ReadRevocation(value)
	if err == nil && one.Target() != key {
		err = errors.New("the key isn't that of what it revokes")
	}
	return one, err
}

func (r *revocations) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reading, r.got = true, nil
	clear(r.stored)
}

func (r *revocations) entry(e jetstream.KeyValueEntry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var one auth.Revocation
	ok := e.Operation() == jetstream.KeyValuePut
	if ok {
		one, ok = r.parse(e.Key(), e.Value())
	}
	before, known := r.stored[e.Key()]
	if !ok {
		delete(r.stored, e.Key())
	} else if known || len(r.stored) < maxStored {
		r.stored[e.Key()] = one
	}
	if known && !(ok && covers(one, before)) { // it was removed or changed by another client of NATS: it is stored again
		r.add(e.Key(), before)
		r.signal()
	}
	if !ok {
		return
	}
	if r.got = append(r.got, one); !r.reading || len(r.got) >= maxStored {
		r.merge()
	}
}

func (r *revocations) complete() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.merge()
	r.reading, r.compare = false, true
	r.signal()
}

// merge makes what was read take effect. It is called with mu held.
func (r *revocations) merge() {
	if len(r.got) == 0 {
		return
	}
	if err := r.o.Service.Revocations.Merge(r.got); err != nil {
		r.o.Logger.Error("revocations of other nodes are not in force", "err", err)
	}
	r.got = nil
}

// removeExpired removes what the bucket no longer has.
func (r *revocations) removeExpired(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	expired := func(_ string, one auth.Revocation) bool { return one.Expired(now) }
	maps.DeleteFunc(r.stored, expired)
	maps.DeleteFunc(r.pending, expired)
}

// Package share keeps what the nodes of a cluster must have in common about the clients' credentials in buckets of NATS: revocations,
// tickets, and how many streams each subject has open.
package share

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/auth"
	"ticklane/internal/bus/natserr"
)

// Options are the options of Open. All are required.
type Options struct {
	Conn     *nats.Conn
	JS       jetstream.JetStream
	Prefix   string // of the names of the buckets
	Replicas int    // of the buckets
	Node     string // name of this node
	Service  *auth.Service
	Logger   *slog.Logger

	timing timing // shorter in tests
}

// timing has the times of the exchange.
type timing struct {
	heartbeat time.Duration // between heartbeats of a node
	dead      time.Duration // after its last heartbeat a node's streams don't count any more
	refresh   time.Duration // after which counts are stored again; they expire after twice that
	flush     time.Duration // for which changes of counts are collected
	check     time.Duration // between comparisons with the state of a bucket
	retry     time.Duration // between attempts
	wait      time.Duration // for an answer
}

var defaultTiming = timing{
	heartbeat: time.Second, dead: 5 * time.Second, refresh: time.Minute, flush: 100 * time.Millisecond,
	check: 2 * time.Second, retry: 500 * time.Millisecond, wait: 2 * time.Second,
}

// Share is a node's part of the exchange. Its methods may be called from any goroutine.
type Share struct {
	Streams *Streams

	revocations *revocations
}

// Open makes the service share its revocations and tickets, and returns once it has those of all nodes. It waits for NATS until ctx is
// done, and logs that it does. Run must be called then.
func Open(ctx context.Context, o Options) (*Share, error) {
	if o.timing == (timing{}) {
		o.timing = defaultTiming
	}
	s := &Share{Streams: newStreams(&o), revocations: newRevocations(&o)}
	tickets := &tickets{ticketBucket(&o)}
	var log throttledLog
	for start := time.Now(); ; {
		err := errors.Join(tickets.bucket.open(ctx), s.Streams.bucket.open(ctx), s.revocations.load(ctx))
		if err == nil {
			break
		}
		err = natserr.Explain(err)
		log.warn(o.Logger, "credentials aren't shared with the other nodes yet, trying again", "err", err, "took", time.Since(start).Round(time.Second))
		if !sleep(ctx, o.timing.retry) {
			return nil, fmt.Errorf("share credentials: %w", err)
		}
	}
	o.Service.Revocations.Share(s.revocations)
	o.Service.Tickets.Share(tickets)
	return s, nil
}

// Run exchanges what changes until ctx is done.
func (s *Share) Run(ctx context.Context) {
	var parts sync.WaitGroup
	parts.Go(func() { s.revocations.run(ctx) })
	parts.Go(func() { s.Streams.run(ctx) })
	parts.Wait()
}

// PendingRevocations returns how many revocations of this node wait for NATS, so that the other nodes don't have them yet.
func (s *Share) PendingRevocations() int { return s.revocations.count() }

// newID returns a random name of a process.
func newID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// sleep waits for a duration. It reports whether ctx is still valid.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

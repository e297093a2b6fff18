package share

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// bucket is a bucket of keys with values, one of each. It is made with the settings of a stream, which a bucket is: values are read from
// the leader only, because a replica that lags wouldn't have a new ticket, and each may have its own time to live.
type bucket struct {
	o      *Options
	name   string
	config jetstream.StreamConfig
	stream atomic.Pointer[opened]
}

type opened struct{ jetstream.Stream }

func newBucket(o *Options, name, description string, c jetstream.StreamConfig) *bucket {
	b := &bucket{o: o, name: o.Prefix + "_" + name, config: c}
	b.config.Name, b.config.Subjects, b.config.Description = "KV_"+b.name, []string{b.subject(">")}, description
	b.config.MaxMsgsPerSubject, b.config.MaxMsgs, b.config.MaxConsumers = 1, -1, -1
	b.config.Discard, b.config.DenyDelete, b.config.AllowRollup, b.config.AllowMsgTTL = jetstream.DiscardNew, true, true, true
	b.config.Replicas, b.config.Duplicates = o.Replicas, 10*time.Second
	return b
}

func (b *bucket) subject(key string) string { return "$KV." + b.name + "." + key }

// open creates the bucket if it is missing: one in memory disappears with a NATS server.
func (b *bucket) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.o.timing.wait)
	defer cancel()
	s, err := b.o.JS.Stream(ctx, b.config.Name)
	c := b.config
	if err == nil {
		c.Replicas = max(c.Replicas, s.CachedInfo().Config.Replicas) // a node with fewer must not lower them for all
	}
	if errors.Is(err, jetstream.ErrStreamNotFound) || err == nil && !fits(s.CachedInfo().Config, c) {
		s, err = b.o.JS.CreateOrUpdateStream(ctx, c)
	}
	if refused, ok := errors.AsType[*jetstream.APIError](err); ok && (refused.ErrorCode == codeNoMemory || refused.ErrorCode == codeNoStorage) {
		err = fmt.Errorf("let NATS store more: 24 MB in memory (max_memory_store) and 64 MB in files (max_file_store) are for credentials: %w", err)
	}
	if err != nil {
		return fmt.Errorf("bucket %s: %w", b.name, err)
	}
	b.stream.Store(&opened{s})
	return nil
}

// Error codes of the server for which jetstream has no names.
const (
	codeNoMemory  = 10028
	codeNoStorage = 10047
)

// fits reports whether an existing bucket has the settings that are wanted.
func fits(has, want jetstream.StreamConfig) bool {
	return has.Replicas == want.Replicas && has.Storage == want.Storage && has.MaxAge == want.MaxAge && has.MaxBytes == want.MaxBytes &&
		has.MaxMsgSize == want.MaxMsgSize && has.MaxMsgsPerSubject == 1 && has.AllowMsgTTL && !has.AllowDirect && has.Discard == want.Discard
}

// errConflict means that a key has another revision.
var errConflict = errors.New("the key was changed by another node")

// errNotConnected is the error of a request while the connection is lost, which would wait for an answer in vain.
var errNotConnected = errors.New("no connection to NATS")

// put stores a value that expires after ttl, 0 for never, if the key has a revision, 0 for none. The error is errConflict if it has
// another one.
func (b *bucket) put(ctx context.Context, key string, value []byte, ttl time.Duration, revision uint64) error {
	m := nats.NewMsg(b.subject(key))
	m.Data = value
	return b.publish(ctx, m, ttl, revision)
}

// remove removes a key that has a revision. The error is errConflict if it has another one.
func (b *bucket) remove(ctx context.Context, key string, revision uint64) error {
	m := nats.NewMsg(b.subject(key))
	m.Header.Set("KV-Operation", "DEL")
	return b.publish(ctx, m, 0, revision)
}

func (b *bucket) publish(ctx context.Context, m *nats.Msg, ttl time.Duration, revision uint64) error {
	if !b.o.Conn.IsConnected() {
		return errNotConnected
	}
	options := []jetstream.PublishOpt{jetstream.WithExpectLastSequencePerSubject(revision), jetstream.WithRetryAttempts(0)}
	if ttl > 0 {
		options = append(options, jetstream.WithMsgTTL(wholeSeconds(ttl)))
	}
	_, err := b.o.JS.PublishMsg(ctx, m, options...)
	if refused, ok := errors.AsType[*jetstream.APIError](err); ok &&
		(refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
		return errConflict
	}
	if err != nil {
		return fmt.Errorf("bucket %s: %w", b.name, err)
	}
	return nil
}

// wholeSeconds rounds up: a time to live has at least 1 s.
func wholeSeconds(d time.Duration) time.Duration {
	return max(time.Second, (d + time.Second - 1).Truncate(time.Second))
}

// get returns the value of a key and its revision. The value is nil if the key is missing; the revision is 0 unless it was removed.
func (b *bucket) get(ctx context.Context, key string) (value []byte, revision uint64, err error) {
	if !b.o.Conn.IsConnected() {
		return nil, 0, errNotConnected
	}
	m, err := b.stream.Load().GetLastMsgForSubject(ctx, b.subject(key))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("bucket %s: %w", b.name, err)
	}
	if m.Header.Get("KV-Operation") != "" {
		return nil, m.Sequence, nil
	}
	return append([]byte{}, m.Data...), m.Sequence, nil
}

// gone reports whether an error may be that of a bucket that no longer exists.
func gone(err error) bool {
	return errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrStreamNotFound)
}

// full reports whether an error is that of a bucket that has no room.
func full(err error) bool {
	return err != nil && strings.Contains(err.Error(), "maximum bytes exceeded")
}

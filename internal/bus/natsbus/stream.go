package natsbus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/quote"
)

// epochKey is the key of the epoch in the metadata of the stream.
const epochKey = "ticklane-epoch"

// errMismatch wraps the error of a stream that this node can't use at all.
var errMismatch = errors.New("the stream doesn't fit this node")

func (b *Bus) streamName() string { return b.o.Prefix + "_ticks" }
func (b *Bus) subject() string    { return b.o.Prefix + ".ticks" }

// newEpoch returns a random epoch, never 0. It has 32 bits, since every SSE event contains it.
func newEpoch() uint64 { return 1 + rand.Uint64N(math.MaxUint32) }

// streamConfig returns the configuration of the stream with an epoch.
//
// Retention is by limits: with interest, readers without a name lose or leak messages (nats-io/nats-server#7489, #7754). Messages
// are read from the leader only, without AllowDirect: a replica that lags would answer with an older message.
func (b *Bus) streamConfig(epoch uint64) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: b.streamName(), Description: "Ticks of Ticklane, in batches", Subjects: []string{b.subject()},
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, Storage: jetstream.FileStorage,
		MaxBytes: b.o.MaxBytes, MaxAge: b.o.MaxAge, MaxMsgs: -1, MaxMsgsPerSubject: -1, MaxConsumers: -1,
		Replicas: b.o.Replicas, Duplicates: 10 * time.Second, DenyDelete: true,
		Metadata: b.metadata(strconv.FormatUint(epoch, 16)),
	}
}

// epochOf returns the epoch of a stream, 0 if it has none.
func epochOf(info *jetstream.StreamInfo) uint64 {
	epoch, err := strconv.ParseUint(info.Config.Metadata[epochKey], 16, 32)
	if err != nil {
		return 0
	}
	return epoch
}

// openStream opens the stream, as bucket does a bucket. A node that may write creates it if it is missing.
func (b *Bus) openStream(ctx context.Context) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, b.o.timing.request)
	defer cancel()
	stream, err := b.js.Stream(ctx, b.streamName())
	if errors.Is(err, jetstream.ErrStreamNotFound) && b.o.Lead {
		epoch := newEpoch()
		stream, err = b.js.CreateStream(ctx, b.streamConfig(epoch))
		switch {
		case errors.Is(err, jetstream.ErrStreamNameAlreadyInUse): // another node was faster
			stream, err = b.js.Stream(ctx, b.streamName())
		case err == nil:
			err = b.marks.begin(ctx, epoch) // without it the first writer would begin another epoch
		}
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", b.streamName(), err)
	}
	return stream, nil
}

// openBuckets opens the buckets, or creates them.
func (b *Bus) openBuckets(ctx context.Context) error {
	if err := b.lease.open(ctx, b); err != nil {
		return fmt.Errorf("lease: %w", err)
	}
	if err := b.marks.open(ctx, b); err != nil {
		return fmt.Errorf("high-water mark: %w", err)
	}
	if err := b.records.open(ctx, b); err != nil {
		return fmt.Errorf("state record: %w", err)
	}
	return nil
}

// message reads a message of the stream, without its ticks.
func (b *Bus) message(ctx context.Context, sequence uint64) (message, error) {
	raw, err := b.stream.GetMsg(ctx, sequence)
	if err != nil {
		return message{}, fmt.Errorf("message %d: %w", sequence, err)
	}
	return parseMessage(raw.Header, raw.Sequence, raw.Time)
}

// newestMessage returns the newest valid message up to a sequence, nil if there is none.
func (b *Bus) newestMessage(ctx context.Context, state *jetstream.StreamState) (*message, error) {
	for s := state.LastSeq; s >= state.FirstSeq && s > 0 && state.Msgs > 0; s-- {
		m, err := b.message(ctx, s)
		switch {
		case err == nil:
			return &m, nil
		case ctx.Err() != nil || !errors.Is(err, jetstream.ErrMsgNotFound) && !errors.Is(err, errHeader):
			return nil, err
		}
	}
	return nil, nil
}

// sequenceOf returns the sequence of the newest message from first to last whose ticks begin at or before a number, first if there
// is none.
func (b *Bus) sequenceOf(ctx context.Context, tick, first, last uint64) (uint64, error) {
	for first < last {
		middle := first + (last-first+1)/2
		m, err := b.message(ctx, middle)
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound) || errors.Is(err, errHeader):
			last = middle - 1
		case err != nil:
			return 0, err
		case m.first <= tick:
			first = middle
		default:
			last = middle - 1
		}
	}
	return first, nil
}

// findStart returns the view with which the node's log begins, and the sequence of the newest message in the stream. record is the newest
// state record, nil if there is none. The ticks after wanted must be in the log.
func (b *Bus) findStart(ctx context.Context, record *record, wanted uint64) (view, uint64, error) {
	info, err := b.stream.Info(ctx)
	if err != nil {
		return view{}, 0, fmt.Errorf("stream %s: %w", b.streamName(), err)
	}
	v := view{epoch: epochOf(info), sequence: info.State.LastSeq}
	last := info.State.LastSeq
	newest, err := b.newestMessage(ctx, &info.State)
	if err != nil {
		return v, last, err
	}
	if newest != nil && newest.epoch != v.epoch {
		// The epoch has just begun: what is stored belongs to the one before.
		v.term = newest.term
		return v, last, nil
	}
	if record != nil && (record.view.epoch != v.epoch || record.view.sequence > last || newest != nil && record.view.batch > newest.lastBatch()) {
		record = nil // it is of another epoch, or of messages that are lost
	}
	first := info.State.FirstSeq
	if record != nil && (record.view.sequence+1 >= first || newest == nil && record.view.sequence == last) {
		return b.startAt(ctx, record, newest, wanted, first, last)
	}
	if newest == nil {
		m, _, err := b.marks.load(ctx)
		v.complete = last == 0 || m != nil && m.Epoch == v.epoch && m.Seq == 0 && m.Batch == 0 // nothing was ever stored in the epoch
		return v, last, err
	}
	oldest, err := b.message(ctx, first)
	if err != nil {
		return v, last, err
	}
	// Without a state record everything must be read, if that is from the start of the epoch.
	v.complete = oldest.batch == 1
	if !v.complete {
		if first, err = b.sequenceOf(ctx, b.logStart(newest, wanted), first, last); err != nil {
			return v, last, err
		}
		if oldest, err = b.message(ctx, first); err != nil {
			return v, last, err
		}
	}
	if !v.complete && b.o.Source != nil { // what follows can't be read without the instruments before
		v.batch, v.head = newest.lastBatch(), newest.last()
		return v, last, b.awaitRecord(ctx)
	}
	v.sequence, v.batch, v.head = first-1, oldest.batch-1, oldest.first-1
	return v, last, nil
}

// awaitRecord fails if there is a writer: it will store a state record. Otherwise the next writer begins a new epoch.
func (b *Bus) awaitRecord(ctx context.Context) error {
	holder, err := b.lease.holder(ctx)
	if err == nil && holder != "" {
		err = fmt.Errorf("%s hasn't stored a state record yet", holder)
	}
	return err
}

// resume returns the newest state record, nil if there is none, and gives it to the source if it is of an epoch.
func (b *Bus) resume(ctx context.Context, epoch uint64) (*record, error) {
	ctx, cancel := context.WithTimeout(ctx, b.o.timing.ack)
	defer cancel()
	record, err := b.records.load(ctx)
	if err != nil || b.o.Source == nil || record == nil || record.view.epoch != epoch {
		return record, err
	}
	return record, b.learnRecord(record)
}

func (b *Bus) learnRecord(r *record) error {
	if err := b.learn(r.state, Source.Resume); err != nil {
		return fmt.Errorf("state record: %w: %w", errMismatch, err)
	}
	return nil
}

// logStart returns the number of the oldest tick that the node has to read.
func (b *Bus) logStart(newest *message, wanted uint64) uint64 {
	return min(newest.last()-min(newest.last(), uint64(b.o.LogSize)), wanted) + 1
}

// startAt returns the view of a state record if the node's log is full when it has read the messages after that. Otherwise the log
// begins earlier; the record has the newest ticks of the symbols that have none from there on.
func (b *Bus) startAt(ctx context.Context, record *record, newest *message, wanted, first, last uint64) (view, uint64, error) {
	v := record.view
	v.complete, b.learned = true, v.sequence
	if err := b.learnRecord(record); err != nil {
		return v, last, err
	}
	if newest == nil || first > v.sequence {
		return v, last, nil
	}
	at, err := b.sequenceOf(ctx, b.logStart(newest, wanted), first, last)
	if err != nil || at > v.sequence {
		return v, last, err
	}
	m, err := b.message(ctx, at)
	if err != nil {
		return v, last, err
	}
	v.sequence, v.batch, v.head, v.term, v.writer = at-1, m.batch-1, m.first-1, 0, ""
	for id := range v.newest {
		if t := &v.newest[id]; t.Seq > v.head {
			*t = quote.Tick{Symbol: quote.ID(id)}
		}
	}
	return v, last, nil
}

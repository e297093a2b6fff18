package natsbus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/bus"
	"ticklane/internal/bus/natserr"
	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
)

// Lead is LeadBatches for a feed of ticks only.
func (b *Bus) Lead(ctx context.Context, run bus.Feed) error {
	return b.LeadBatches(ctx, func(ctx context.Context, from bus.State, publish Publish) error {
		return run(ctx, from, func(ticks []quote.Tick) { publish(&batch.Batch{Ticks: ticks}) })
	})
}

// Publish publishes a batch. It sets Seq and N of its ticks in place, as bus.Local does, keeps none of its slices but the instruments
// and the ranges of its progress, and returns before it is stored; it waits while too much isn't. A batch is stored as a whole or not at all, except that
// one of more than batch.MaxTicks ticks is split. confirm waits until the batch is stored. Once the node isn't the writer, batches are
// ignored, and confirm fails for all that weren't stored.
type Publish = func(*batch.Batch) (confirm func(context.Context) error)

// Feed publishes batches until ctx is done, from a state on.
type Feed = func(ctx context.Context, from bus.State, publish Publish) error

// LeadBatches competes for the lease until ctx is done or Run returns; it returns nil then. While this node has the lease and has read
// everything in the stream, it calls run with the state of the log and a function that publishes batches, one run at a time.
//
// run's context is done when ctx is, or when this node isn't the writer any more. What was published but not stored then is lost, so
// the next run begins with the state that it gets. If run returns before its context is done, LeadBatches ends with its error after
// what it published is stored.
func (b *Bus) LeadBatches(ctx context.Context, run Feed) error {
	if !b.o.Lead {
		return errors.New("bus: this node may not write")
	}
	var log logged
	for {
		err := b.wait(ctx, func(v *view) bool { return v.sequence >= b.target || b.spoiled || b.hasEnded() })
		if err != nil || b.hasEnded() {
			return nil
		}
		var ended bool
		var h *holding
		if h, err = b.lease.acquire(ctx); err == nil {
			ended, err = b.lead(ctx, h, run)
			h.release()
		}
		if err != nil && !ended && !errors.Is(err, errHeld) && !b.hasEnded() && b.conn.IsConnected() {
			err = errors.Join(err, b.createMissing(ctx))
		}
		err = b.explain(err)
		switch {
		case ended:
			return err
		case ctx.Err() != nil || b.hasEnded():
			return nil
		case err != nil && !errors.Is(err, errHeld) && log.changed(err):
			text := "this node can't become the writer"
			if h != nil {
				text = "this node is no longer the writer"
			}
			b.o.Logger.Warn(text, "err", err)
		}
		b.mu.Lock()
		switch h := &b.health; {
		case err == nil, errors.Is(err, errHeld):
			h.leadError = nil
		case h.leadError == nil:
			h.failing = time.Now()
			fallthrough
		default:
			h.leadError = err
		}
		b.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-b.ended:
		case <-time.After(b.o.timing.campaign):
		}
	}
}

// lead runs a term with a lease. It reports whether run ended by itself.
func (b *Bus) lead(ctx context.Context, h *holding, run Feed) (ended bool, err error) {
	// The term goes on for a moment when ctx is done, until what was published is stored.
	life, lose := context.WithCancelCause(context.Background())
	running, stop := context.WithCancel(ctx)
	defer context.AfterFunc(life, stop)()
	go func() {
		select {
		case <-b.ended:
			lose(ErrEpoch)
		case <-life.Done():
		}
	}()
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		if err := h.keep(life); err != nil {
			lose(err)
		}
	}()
	defer func() { <-kept }()
	defer lose(nil)
	defer stop()

	t, err := b.beginTerm(running, life, lose)
	if err != nil {
		if cause := context.Cause(life); cause != nil {
			err = cause
		}
		return false, err
	}
	b.o.Logger.Info("this node is the writer", "term", t.term, "from", t.begins)
	b.mu.Lock()
	b.writing, b.health.leadError = t, nil
	b.mu.Unlock()
	t.start()
	err = run(running, b.State(), t.publish)
	ended = running.Err() == nil
	t.flush()
	b.mu.Lock()
	b.writing = nil
	b.mu.Unlock()
	lost := context.Cause(life)
	if lost == nil {
		t.save()
	}
	lose(nil)
	t.done.Wait()
	if lost != nil {
		return false, errors.Join(lost, err)
	}
	b.o.Logger.Info("this node is no longer the writer", "term", t.term, "head", t.seq)
	return ended, err
}

// beginTerm begins a term: it stores a message after which nothing that another writer publishes is stored. It waits until the node
// has read everything up to that. It begins a new epoch if ticks are lost: only when the message is stored is it certain that the stream
// has no other messages, as its leader may lag behind the server from which the node reads.
func (b *Bus) beginTerm(ctx, life context.Context, lose context.CancelCauseFunc) (*term, error) {
	for start := time.Now(); ; {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		end, err := b.prepare(ctx)
		if err != nil {
			return nil, err
		}
		v := b.current()
		m := message{epoch: v.epoch, begins: v.head + 1, opens: v.batch + 1, writer: b.o.Name}
		lost := end.lost(&v)
		if lost != "" { // then the numbers follow those in the stream: each node that has read more finds the conflict if this one fails now
			m.begins, m.opens = end.next()
		}
		m.first, m.batch = m.begins, m.opens
		// Not used before even if the stream has lost messages.
		m.term = max(v.term+1, uint64(time.Now().UnixMilli()))
		sent := time.Now()
		ack, err := b.publishTerm(ctx, &m, end.last)
		if isWrongSequence(err) { // another message has been stored meanwhile, or the leader of the stream didn't know it
			if time.Since(start) > b.o.timing.request {
				return nil, fmt.Errorf("begin a term: the leader of the stream doesn't know the newest messages yet: %w", err)
			}
			sleep(ctx, 50*time.Millisecond)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("begin a term: %w", err)
		}
		if lost != "" {
			return nil, b.changeEpoch(ctx, lost)
		}
		if err := b.wait(ctx, func(v *view) bool { return v.sequence >= ack.Sequence || b.hasEnded() }); err != nil {
			return nil, err
		}
		if v := b.current(); v.term != m.term {
			return nil, errors.New("begin a term: the message that begins it wasn't accepted")
		}
		b.compareClocks(ctx, sent, ack.Sequence)
		return newTerm(life, b, lose, m, ack.Sequence), nil
	}
}

// end is the end of the stream.
type end struct {
	last   uint64   // sequence
	newest *message // valid message, nil if there is none
	mark   *mark    // before, nil if there is none
}

// lost returns which ticks are lost if the stream has no other messages, empty for none. v is what the node has read.
func (e *end) lost(v *view) string {
	switch {
	case v.sequence > e.last,
		e.newest != nil && e.newest.term > v.term: // the node has read another message at that place
		return "the stream has lost messages that were read"
	case e.newest != nil && e.newest.last() < v.head && v.own != 0:
		return "ticks that this node has shown weren't stored"
	case e.mark != nil && (e.mark.Seq > v.head || e.mark.Batch > v.batch):
		return "the stream has lost ticks that were stored"
	}
	return ""
}

// next returns the numbers of the tick and the batch that follow.
func (e *end) next() (tick, batch uint64) {
	if e.newest == nil {
		return 1, 1
	}
	return e.newest.last() + 1, e.newest.lastBatch() + 1
}

// maxSkew is how far the clocks of the machines may differ. Ticks have the time of the writer's: with a wrong one bars would be of another time.
const maxSkew = 30 * time.Second

// compareClocks warns if the clock of this machine differs from that of the server, which has just stored a message.
func (b *Bus) compareClocks(ctx context.Context, sent time.Time, sequence uint64) {
	got := time.Now()
	ctx, cancel := context.WithTimeout(ctx, b.o.timing.request)
	defer cancel()
	raw, err := b.stream.GetMsg(ctx, sequence)
	if err != nil {
		return // it is compared in the next term
	}
	stored := raw.Time.Add(b.o.faults.skew)
	if stored.Before(sent.Add(-maxSkew)) || stored.After(got.Add(maxSkew)) {
		b.o.Logger.Error("this machine and the NATS server have different times: set their clocks", "difference", sent.Sub(stored).Round(time.Second))
	}
}

func (b *Bus) publishTerm(ctx context.Context, m *message, last uint64) (*jetstream.PubAck, error) {
	ctx, cancel := context.WithTimeout(ctx, b.o.timing.ack)
	defer cancel()
	return b.js.PublishMsg(ctx, &nats.Msg{Subject: b.subject(), Header: m.header()},
		jetstream.WithExpectLastSequence(last), jetstream.WithExpectStream(b.streamName()), jetstream.WithMsgID(m.id()))
}

// prepare waits until the node has read everything, and returns the end of the stream as its leader knows it. It begins a new epoch if
// the present one can't go on.
func (b *Bus) prepare(ctx context.Context) (*end, error) {
	// A request that is sent while the connection fails has no answer.
	ctx, cancel := context.WithTimeout(ctx, b.o.timing.request)
	defer cancel()
	m, _, err := b.marks.load(ctx) // before the stream: the mark gets a new epoch first
	if err != nil {
		return nil, err
	}
	info, err := b.streamInfo(ctx)
	if err != nil {
		return nil, err
	}
	epoch := b.current().epoch
	if epochOf(info) != epoch {
		return nil, errForeign // watch ends the bus
	}
	newest, err := b.newestMessage(ctx, &info.State)
	if err != nil {
		return nil, err
	}
	reason := ""
	switch {
	case m != nil && m.Epoch != epoch:
		reason = "the change to an epoch was interrupted"
	case m != nil && m.Spoiled:
		reason = "the stream has lost ticks that were read"
	case newest != nil && newest.epoch != epoch:
		reason = "the stream has messages of another epoch"
	case !b.current().complete:
		reason = "the newest ticks of some symbols are unknown"
	}
	if reason != "" {
		return nil, b.changeEpoch(ctx, reason)
	}
	if err := b.wait(ctx, func(v *view) bool { return v.sequence >= info.State.LastSeq || b.hasEnded() }); err != nil {
		return nil, fmt.Errorf("the newest messages aren't read yet: %v", err) // not wrapped: the deadline isn't that of an answer of NATS
	}
	return &end{info.State.LastSeq, newest, m}, b.adjust(ctx, info)
}

// createMissing creates the buckets that were deleted, which may be the reason of an error. It returns no error if NATS doesn't answer: the
// caller has that one already.
func (b *Bus) createMissing(ctx context.Context) error {
	var m marks
	var r records
	_, err := bucket(ctx, b, b.lease.config())
	err = errors.Join(err, m.open(ctx, b), r.open(ctx, b))
	if ctx.Err() != nil || errors.Is(natserr.Explain(err), natserr.ErrAway) {
		return nil
	}
	return err
}

// isWrongSequence reports whether a message wasn't stored because of its expected sequence.
func isWrongSequence(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) &&
		(api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

package natsbus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/quote"
	"ticklane/internal/quote/batch"
)

// maxInFlight is how many messages may be published but not stored.
const maxInFlight = 64

// term is the time in which this node writes. Each of its messages is stored only directly after the one before.
type term struct {
	message // the one that began it
	b       *Bus
	life    context.Context // done when the node isn't the writer any more
	lose    context.CancelCauseFunc
	done    sync.WaitGroup

	mu        sync.Mutex
	changed   *sync.Cond
	pending   queue    // of what is published, not in a message yet
	published uint64   // number of the newest entry of the queue, in this term
	stored    uint64   // number of the newest entry that is stored
	seq       uint64   // of the newest tick that is numbered
	n         []uint64 // newest N of each symbol, by ID

	wake     chan struct{} // receives when the queue has entries
	slots    chan struct{} // holds a value for each message in flight
	inFlight chan flight
	next     message // the next to send
	sequence uint64  // of the newest message sent, in the stream
	encoder  *batch.Encoder
	sending  batch.Batch
}

// flight is a message that is sent but not acknowledged.
type flight struct {
	future   jetstream.PubAckFuture
	id       string
	sequence uint64 // that it must get
	last     uint64 // number of its last entry of the queue
	sent     time.Time
}

func newTerm(life context.Context, b *Bus, lose context.CancelCauseFunc, m message, sequence uint64) *term {
	t := &term{
		message: m, b: b, life: life, lose: lose, seq: m.begins - 1, next: m, sequence: sequence,
		wake: make(chan struct{}, 1), slots: make(chan struct{}, maxInFlight), inFlight: make(chan flight, maxInFlight),
	}
	t.next.writer = ""
	t.changed = sync.NewCond(&t.mu)
	t.n = b.State().N
	t.encoder = batch.NewEncoder(b.o.Universe.Limit(), b.o.Events)
	return t
}

// start starts the goroutines of the term. They end when life is done.
func (t *term) start() {
	context.AfterFunc(t.life, t.broadcast)
	t.done.Go(t.sendAll)
	t.done.Go(t.awaitAcks)
	t.done.Go(t.keepMark)
	t.done.Go(t.keepRecord)
}

// broadcast wakes those who wait for a change.
func (t *term) broadcast() {
	t.mu.Lock()
	t.changed.Broadcast()
	t.mu.Unlock()
}

// publish is a Publish: it numbers the ticks and sends the batch soon.
func (t *term) publish(x *batch.Batch) (confirm func(context.Context) error) {
	last := t.enqueue(x)
	return func(ctx context.Context) error { return t.confirm(ctx, last) }
}

// enqueue adds a batch to the queue. It returns the number of its last entry.
func (t *term) enqueue(x *batch.Batch) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	part := *x
	for rest := x.Ticks; !part.Empty(); part = (batch.Batch{Ticks: rest}) {
		part.Ticks, rest = rest[:min(batch.MaxTicks, len(rest))], rest[min(batch.MaxTicks, len(rest)):]
		for !t.pending.fits(&part) && t.life.Err() == nil {
			t.changed.Wait()
		}
		t.published++ // also after the end of the term: it isn't stored then
		if t.life.Err() != nil {
			break
		}
		t.number(part.Ticks)
		if t.b.o.Ack == AckBefore && !t.show(part.Ticks) {
			break
		}
		t.pending.add(&part)
		notify(t.wake)
	}
	return t.published
}

// show passes ticks to the sinks before they are stored. It reports false, and ends the term, if this node has read that
// another one writes.
func (t *term) show(ticks []quote.Tick) bool {
	t.b.deliver.Lock()
	defer t.b.deliver.Unlock()
	if t.b.view.term != t.term {
		t.lose(errLost)
		return false
	}
	t.b.pass(ticks)
	t.b.advance(func(v *view) {
		v.own = t.term
		v.add(ticks)
	})
	return true
}

// confirm waits until an entry of the queue is stored. It fails if it isn't when ctx is done or the term has ended.
func (t *term) confirm(ctx context.Context, entry uint64) error {
	defer context.AfterFunc(ctx, t.broadcast)()
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.stored < entry {
		if t.life.Err() != nil {
			return fmt.Errorf("not stored: %w", context.Cause(t.life))
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		t.changed.Wait()
	}
	return nil
}

// number sets Seq and N.
func (t *term) number(ticks []quote.Tick) {
	for i := range ticks {
		k := &ticks[i]
		for int(k.Symbol) >= len(t.n) {
			t.n = append(t.n, 0)
		}
		t.seq++
		t.n[k.Symbol]++
		k.Seq, k.N = t.seq, t.n[k.Symbol]
	}
}

// sendAll sends what is in the queue. While maxInFlight messages are in flight, it waits, and several entries get into one message.
func (t *term) sendAll() {
	for {
		select {
		case <-t.life.Done():
			return
		case <-t.wake:
		}
		for {
			select {
			case <-t.life.Done():
				return
			case t.slots <- struct{}{}:
			}
			last, ok := t.take()
			if !ok {
				<-t.slots
				break
			}
			if err := t.send(last); err != nil {
				t.lose(err)
				return
			}
		}
	}
}

// take takes a message's content from the queue, with the number of its last entry. ok is false if the queue is empty.
func (t *term) take() (last uint64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.pending.take(&t.sending) {
		return 0, false
	}
	t.changed.Broadcast()
	return t.published - uint64(len(t.pending.entries)), true
}

// send sends a batch whose last entry of the queue has a number.
func (t *term) send(last uint64) error {
	m := t.next
	m.count = len(t.sending.Ticks)
	f := flight{id: m.id(), sequence: t.sequence + 1, last: last, sent: time.Now()}
	msg := &nats.Msg{Subject: t.b.subject(), Header: m.header(), Data: t.encoder.Append(nil, &t.sending)}
	var err error
	f.future, err = t.b.js.PublishMsgAsync(msg, jetstream.WithExpectLastSequence(t.sequence), jetstream.WithMsgID(f.id), jetstream.WithRetryAttempts(0))
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	t.sequence++
	t.next.batch++
	t.next.first += uint64(m.count)
	t.inFlight <- f // there are as many slots
	return nil
}

// awaitAcks waits for the acknowledgements, in order.
func (t *term) awaitAcks() {
	for {
		select {
		case <-t.life.Done():
			return
		case f := <-t.inFlight:
			if err := t.await(&f); err != nil {
				t.lose(err)
				return
			}
			<-t.slots
			t.mu.Lock()
			t.stored = f.last
			t.changed.Broadcast()
			t.mu.Unlock()
		}
	}
}

// await waits until a message is stored.
func (t *term) await(f *flight) error {
	var err error
	select {
	case <-t.life.Done():
		return context.Cause(t.life)
	case err = <-f.future.Err():
	case ack := <-f.future.Ok():
		if ack.Sequence != f.sequence {
			return fmt.Errorf("publish: stored as message %d: want %d", ack.Sequence, f.sequence)
		}
		if lose := t.b.o.faults.loseAck; lose != nil && lose(f.sequence) {
			err = jetstream.ErrAsyncPublishTimeout
		}
	}
	if err == nil {
		t.b.mu.Lock()
		t.b.health.acks.add(time.Since(f.sent))
		t.b.mu.Unlock()
		return nil
	}
	if !isWrongSequence(err) && t.isStored(f) {
		return nil // only the acknowledgement is lost
	}
	return fmt.Errorf("publish: %w", err)
}

// isStored reports whether a message is in the stream. Its sequence is compared and not only its ID, since a server checks the
// expected sequence before the ID, and a cluster of servers after it.
func (t *term) isStored(f *flight) bool {
	ctx, cancel := context.WithTimeout(t.life, t.b.o.timing.ack)
	defer cancel()
	raw, err := t.b.stream.GetMsg(ctx, f.sequence)
	return err == nil && raw.Header.Get(jetstream.MsgIDHeader) == f.id
}

// flush waits until all that is published is stored, or the term has ended.
func (t *term) flush() {
	timeout := time.AfterFunc(2*t.b.o.timing.ack, func() { t.lose(errors.New("publish: timeout")) })
	defer timeout.Stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.stored < t.published && t.life.Err() == nil {
		t.changed.Wait()
	}
}

// idle reports whether all that is published is stored.
func (t *term) idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stored == t.published
}

// keepMark raises the high-water mark to what this node has read. It also stores one that hasn't changed from time to time, since
// that fails when another node has found that the epoch must end.
func (t *term) keepMark() {
	m := mark{Epoch: t.epoch}
	var revision uint64
	var stored time.Time
	var log logged
	for {
		if v := t.b.current(); v.head != m.Seq || v.batch != m.Batch || time.Since(stored) > t.b.o.timing.check {
			ctx, cancel := context.WithTimeout(t.life, t.b.o.timing.request)
			next, err := t.b.marks.raise(ctx, mark{Epoch: t.epoch, Seq: v.head, Batch: v.batch}, revision)
			cancel()
			switch {
			case err == nil:
				m.Seq, m.Batch, revision, stored, log = v.head, v.batch, next, time.Now(), logged{}
			case errors.Is(err, errSpoiled):
				t.lose(err)
				return
			case t.life.Err() == nil:
				if t.b.conn.IsConnected() {
					err = errors.Join(err, t.b.createMissing(t.life))
				}
				if err = t.b.explain(err); log.changed(err) {
					t.b.o.Logger.Warn("high-water mark not stored", "err", err)
				}
			}
		}
		if !sleep(t.life, t.b.o.timing.mark) {
			return
		}
	}
}

// keepRecord stores the state from time to time.
func (t *term) keepRecord() {
	for sleep(t.life, t.b.o.timing.state) {
		ctx, cancel := context.WithTimeout(t.life, t.b.o.timing.ack)
		if err := t.b.records.save(ctx); err != nil && t.life.Err() == nil {
			t.b.o.Logger.Warn("state not stored", "err", t.b.explain(err))
		}
		cancel()
	}
}

// save stores the mark and the state at the end of the term, once the node has read its own last message.
func (t *term) save() {
	ctx, cancel := context.WithTimeout(t.life, t.b.o.timing.ack)
	defer cancel()
	err := t.b.wait(ctx, func(v *view) bool { return v.sequence >= t.sequence })
	if err == nil {
		err = t.b.records.save(ctx)
	}
	if err != nil {
		t.b.o.Logger.Warn("state not stored", "err", err)
	}
}

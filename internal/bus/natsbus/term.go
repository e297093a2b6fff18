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

// Limits of what is published but not stored.
const (
	maxInFlight = 64   // messages
	maxPending  = 1000 // ticks that aren't in a message yet; Events keeps at least so many events
)

// term is the time in which this node writes. Each of its messages is stored only directly after the one before.
type term struct {
	message // the one that began it
	b       *Bus
	life    context.Context // done when the node isn't the writer any more
	lose    context.CancelCauseFunc
	done    sync.WaitGroup

	mu      sync.Mutex
	changed *sync.Cond
	pending []quote.Tick // numbered, not in a message yet
	seq     uint64       // of the newest tick that is numbered
	stored  uint64       // of the newest tick that is stored
	n       []uint64     // newest N of each symbol, by ID

	wake     chan struct{} // receives when there are pending ticks
	slots    chan struct{} // holds a value for each message in flight
	inFlight chan flight
	sequence uint64 // of the newest message sent, in the stream
	encoder  *batch.Encoder
	batch    batch.Batch
}

// flight is a message that is sent but not acknowledged.
type flight struct {
	future   jetstream.PubAckFuture
	id       string
	sequence uint64 // that it must get
	last     uint64 // number of its last tick
	sent     time.Time
}

func newTerm(life context.Context, b *Bus, lose context.CancelCauseFunc, m message, sequence uint64) *term {
	t := &term{
		message: m, b: b, life: life, lose: lose, seq: m.begins - 1, stored: m.begins - 1, sequence: sequence,
		wake: make(chan struct{}, 1), slots: make(chan struct{}, maxInFlight), inFlight: make(chan flight, maxInFlight),
	}
	t.changed = sync.NewCond(&t.mu)
	t.n = b.State().N
	t.encoder = batch.NewEncoder(b.o.Universe.Limit(), b.o.Events)
	return t
}

// start starts the goroutines of the term. They end when life is done.
func (t *term) start() {
	context.AfterFunc(t.life, func() {
		t.mu.Lock()
		t.changed.Broadcast()
		t.mu.Unlock()
	})
	t.done.Go(t.sendAll)
	t.done.Go(t.awaitAcks)
	t.done.Go(t.keepMark)
	t.done.Go(t.keepRecord)
}

// publish numbers the ticks, in place, and sends them soon.
func (t *term) publish(ticks []quote.Tick) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(ticks) > 0 {
		free := maxPending - len(t.pending)
		for free == 0 && t.life.Err() == nil {
			t.changed.Wait()
			free = maxPending - len(t.pending)
		}
		if t.life.Err() != nil {
			return
		}
		some := ticks[:min(free, len(ticks))]
		t.number(some)
		t.pending = append(t.pending, some...)
		send(t.wake)
		if t.b.o.Ack == AckBefore {
			t.b.deliver.Lock()
			t.b.pass(some)
			t.b.advance(func(v *view) { v.add(some) })
			t.b.deliver.Unlock()
		}
		ticks = ticks[len(some):]
	}
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

// sendAll sends pending ticks. While maxInFlight messages are in flight, it waits, and the ticks of several calls of publish get
// into one message.
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
			if t.take(); t.batch.Empty() {
				<-t.slots
				break
			}
			if err := t.send(); err != nil {
				t.lose(err)
				return
			}
		}
	}
}

// take moves pending ticks to the batch.
func (t *term) take() {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := min(len(t.pending), maxBatch)
	t.batch.Ticks = append(t.batch.Ticks[:0], t.pending[:n]...)
	t.pending = t.pending[:copy(t.pending, t.pending[n:])]
	if n > 0 {
		t.changed.Broadcast()
	}
}

// send sends the batch.
func (t *term) send() error {
	m := t.message
	m.first, m.count, m.writer = t.batch.Ticks[0].Seq, len(t.batch.Ticks), ""
	f := flight{id: m.id(), sequence: t.sequence + 1, last: m.last(), sent: time.Now()}
	msg := &nats.Msg{Subject: t.b.subject(), Header: m.header(), Data: t.encoder.Append(nil, &t.batch)}
	var err error
	f.future, err = t.b.js.PublishMsgAsync(msg, jetstream.WithExpectLastSequence(t.sequence), jetstream.WithMsgID(f.id), jetstream.WithRetryAttempts(0))
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	t.sequence++
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

// flush waits until all published ticks are stored, or the term has ended.
func (t *term) flush() {
	timeout := time.AfterFunc(2*t.b.o.timing.ack, func() { t.lose(errors.New("publish: timeout")) })
	defer timeout.Stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.stored < t.seq && t.life.Err() == nil {
		t.changed.Wait()
	}
}

// keepMark raises the high-water mark to what this node has read. It also stores one that hasn't changed from time to time, since
// that fails when another node has found that the epoch must end.
func (t *term) keepMark() {
	m := mark{Epoch: t.epoch}
	var revision uint64
	var stored time.Time
	for {
		if head := t.b.current().head; head != m.Seq || time.Since(stored) > t.b.o.timing.check {
			ctx, cancel := context.WithTimeout(t.life, t.b.o.timing.ack)
			next, err := t.b.marks.raise(ctx, mark{Epoch: t.epoch, Seq: head}, revision)
			cancel()
			switch {
			case err == nil:
				m.Seq, revision, stored = head, next, time.Now()
			case errors.Is(err, errSpoiled):
				t.lose(err)
				return
			case t.life.Err() == nil:
				t.b.o.Logger.Warn("high-water mark not stored", "err", err)
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
			t.b.o.Logger.Warn("state not stored", "err", err)
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

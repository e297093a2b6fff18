package natsbus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/quote/batch"
)

// records keeps the state record: what a node that starts can't read from the newest messages, such as the newest tick of a symbol
// that is seldom traded. An object store splits it into messages.
type records struct {
	store jetstream.ObjectStore
	b     *Bus
}

const recordName = "state"

// record is a stored state.
type record struct {
	view  view
	state *batch.Batch
}

// recordHeader is the first line of a stored state. The encoded state follows.
type recordHeader struct {
	Epoch    uint64 `json:"epoch"`
	Term     uint64 `json:"term"`
	Writer   string `json:"writer"`
	Sequence uint64 `json:"sequence"` // of the newest message that it includes
	Batch    uint64 `json:"batch"`
}

// open opens the store as bucket does.
func (r *records) open(ctx context.Context, b *Bus) (err error) {
	r.b = b
	ctx, cancel := context.WithTimeout(ctx, b.o.timing.request)
	defer cancel()
	c := jetstream.ObjectStoreConfig{Bucket: b.o.Prefix + "_state", Storage: jetstream.FileStorage, Replicas: b.o.Replicas}
	r.store, err = b.js.ObjectStore(ctx, c.Bucket)
	if !b.o.Lead || err != nil && !errors.Is(err, jetstream.ErrBucketNotFound) {
		return err
	}
	if err == nil {
		status, err := r.store.Status(ctx)
		if err != nil || status.Replicas() >= c.Replicas {
			return err
		}
	}
	r.store, err = b.js.CreateOrUpdateObjectStore(ctx, c)
	return err
}

// save stores the state of the log up to the newest message that was read.
func (r *records) save(ctx context.Context) error {
	b := r.b
	v, state := b.snapshot()
	content, err := json.Marshal(recordHeader{v.epoch, v.term, v.writer, v.sequence, v.batch})
	if err != nil {
		return err
	}
	content = append(content, '\n')
	content = batch.NewEncoder(b.o.Universe.Limit(), b.o.Events).AppendState(content, state)
	if _, err := r.store.PutBytes(ctx, recordName, content); err != nil {
		return fmt.Errorf("state record: %w", err)
	}
	return nil
}

// snapshot returns the view and the state up to the newest message that was read.
func (b *Bus) snapshot() (view, *batch.Batch) {
	b.deliver.Lock() // no batch is between the source and the view
	defer b.deliver.Unlock()
	v := b.current()
	if b.o.Source != nil {
		return v, b.o.Source.State()
	}
	return v, &batch.Batch{Ticks: b.State().Newest}
}

// load returns the newest state record, nil if there is none that can be read.
func (r *records) load(ctx context.Context) (*record, error) {
	content, err := r.store.GetBytes(ctx, recordName)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("state record: %w", err)
	}
	line, rest, _ := bytes.Cut(content, []byte("\n"))
	var h recordHeader
	if err := json.Unmarshal(line, &h); err != nil {
		r.b.o.Logger.Warn("state record ignored", "err", err)
		return nil, nil
	}
	x := new(batch.Batch)
	if err := batch.NewDecoder(r.b.o.Universe, r.b.o.Events).DecodeState(rest, x); errors.Is(err, batch.ErrLimit) || errors.Is(err, batch.ErrVersion) {
		return nil, fmt.Errorf("state record: %w: %w", errMismatch, err)
	} else if err != nil {
		r.b.o.Logger.Warn("state record ignored", "err", err)
		return nil, nil
	}
	v := view{epoch: h.Epoch, term: h.Term, writer: h.Writer, sequence: h.Sequence, batch: h.Batch}
	v.add(x.Ticks)
	for i := range x.Ticks {
		v.head = max(v.head, x.Ticks[i].Seq)
	}
	return &record{v, x}, nil
}

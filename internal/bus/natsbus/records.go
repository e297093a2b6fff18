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
type record struct{ view view }

// recordHeader is the first line of a stored state. The ticks follow.
type recordHeader struct {
	Epoch    uint64 `json:"epoch"`
	Term     uint64 `json:"term"`
	Writer   string `json:"writer"`
	Sequence uint64 `json:"sequence"` // of the newest message that it includes
	Head     uint64 `json:"head"`
}

func (r *records) open(ctx context.Context, b *Bus) (err error) {
	r.b = b
	c := jetstream.ObjectStoreConfig{Bucket: b.o.Prefix + "_state", Storage: jetstream.FileStorage, Replicas: b.o.Replicas}
	if b.o.Lead {
		r.store, err = b.js.CreateOrUpdateObjectStore(ctx, c)
	} else {
		r.store, err = b.js.ObjectStore(ctx, c.Bucket)
	}
	return err
}

// save stores the state of the log up to the newest message that was read.
func (r *records) save(ctx context.Context) error {
	b := r.b
	b.mu.Lock()
	v := b.view
	ticks := v.state().Newest
	b.mu.Unlock()
	content, err := json.Marshal(recordHeader{v.epoch, v.term, v.writer, v.sequence, v.head})
	if err != nil {
		return err
	}
	content = append(content, '\n')
	content = batch.NewEncoder(b.o.Universe.Limit(), b.o.Events).AppendState(content, &batch.Batch{Ticks: ticks})
	if _, err := r.store.PutBytes(ctx, recordName, content); err != nil {
		return fmt.Errorf("state record: %w", err)
	}
	return nil
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
	var x batch.Batch
	err = batch.NewDecoder(r.b.o.Universe, r.b.o.Events).DecodeState(rest, &x)
	if err == nil {
		err = r.b.learn(&x)
	}
	if err != nil {
		r.b.o.Logger.Warn("state record ignored", "err", err)
		return nil, nil
	}
	v := view{epoch: h.Epoch, term: h.Term, writer: h.Writer, sequence: h.Sequence}
	v.add(x.Ticks)
	v.head = h.Head
	return &record{v}, nil
}

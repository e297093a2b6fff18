package natsbus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// mark is the high-water mark: ticks up to Seq and batches up to Batch of Epoch were readable. If the stream has fewer, it has lost
// some.
type mark struct {
	Epoch   uint64 `json:"epoch"`
	Seq     uint64 `json:"seq"`
	Batch   uint64 `json:"batch"`
	Spoiled bool   `json:"spoiled,omitempty"` // a node has found that ticks are lost: the epoch must end
}

// marks keeps the high-water mark in a bucket, and with an embedded server in a file, too, which is synced to disk: the store of the
// server isn't, unless Options.SyncAlways is set.
type marks struct {
	kv   jetstream.KeyValue
	file string // empty with an external server

	mu sync.Mutex // held while a mark is changed
}

const (
	markKey  = "mark"
	markFile = "high-water.json"
)

// errSpoiled is the error of a term whose epoch must end.
var errSpoiled = errors.New("the epoch must end")

func (s *marks) open(ctx context.Context, b *Bus) (err error) {
	if b.embedded != nil {
		s.file = filepath.Join(b.o.Dir, markFile)
	}
	s.kv, err = bucket(ctx, b, jetstream.KeyValueConfig{Bucket: b.o.Prefix + "_mark", History: 1, Storage: jetstream.FileStorage, Replicas: b.o.Replicas})
	return err
}

// load returns the mark, nil if there is none, and its revision in the bucket.
func (s *marks) load(ctx context.Context) (*mark, uint64, error) {
	var m *mark
	e, err := s.kv.Get(ctx, markKey)
	var revision uint64
	switch {
	case err == nil:
		m, revision = new(mark), e.Revision()
		if json.Unmarshal(e.Value(), m) != nil {
			m = &mark{Spoiled: true} // of no epoch: what it was can't be known
		}
	case !errors.Is(err, jetstream.ErrKeyNotFound):
		return nil, 0, fmt.Errorf("high-water mark: %w", err)
	}
	if s.file == "" {
		return m, revision, nil
	}
	f, err := readMark(s.file)
	if err != nil || f == nil {
		return m, revision, err
	}
	// The file is written first.
	if m == nil || m.Epoch != f.Epoch || m.Seq < f.Seq || m.Batch < f.Batch {
		f.Spoiled = f.Spoiled || m != nil && m.Epoch == f.Epoch && m.Spoiled
		m = f
	}
	return m, revision, nil
}

// readMark returns the mark in a file, nil if there is none. A file that can't be read is an error: a new epoch would delete the ticks of
// the stream.
func readMark(file string) (*mark, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("high-water mark in data.dir: %w", err)
	}
	var f mark
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("high-water mark in data.dir: %s is damaged: %w: delete this file, or, if this machine has crashed or lost power, the whole directory %s: "+
			"clients begin with a snapshot then", file, err, filepath.Dir(file))
	}
	return &f, nil
}

// store stores the mark if the bucket has a revision, and returns the new one. The error is ErrKeyRevisionMismatch if it hasn't.
func (s *marks) store(ctx context.Context, m mark, revision uint64) (uint64, error) {
	value, err := json.Marshal(m)
	if err != nil {
		return 0, err
	}
	if s.file != "" {
		if err := writeSynced(s.file, value); err != nil {
			return 0, fmt.Errorf("high-water mark: %w", err)
		}
	}
	if revision == 0 {
		revision, err = s.kv.Create(ctx, markKey, value) // also where it was deleted
		if errors.Is(err, jetstream.ErrKeyExists) {
			err = jetstream.ErrKeyRevisionMismatch
		}
	} else {
		revision, err = s.kv.Update(ctx, markKey, value, revision)
	}
	if err != nil {
		return 0, fmt.Errorf("high-water mark: %w", err)
	}
	return revision, nil
}

// begin stores the mark of a new epoch.
func (s *marks) begin(ctx context.Context, epoch uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, revision, err := s.load(ctx)
	if err != nil {
		return err
	}
	_, err = s.store(ctx, mark{Epoch: epoch}, revision)
	return err
}

// spoil marks an epoch that must end, unless it is marked or has ended; first reports whether it wasn't.
func (s *marks) spoil(ctx context.Context, epoch uint64) (first bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, revision, err := s.load(ctx)
	if err != nil {
		return false, err
	}
	if m == nil {
		m = &mark{Epoch: epoch}
	}
	if m.Epoch != epoch || m.Spoiled {
		return false, nil
	}
	m.Spoiled = true
	_, err = s.store(ctx, *m, revision)
	return err == nil, err
}

// raise raises the mark that has a revision in the bucket, and returns its new revision. The error wraps errSpoiled if another node
// has found that the epoch must end.
func (s *marks) raise(ctx context.Context, m mark, revision uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, err := s.store(ctx, m, revision)
	if !errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return next, err
	}
	now, revision, err := s.load(ctx)
	if err != nil {
		return 0, err
	}
	if now != nil && (now.Epoch != m.Epoch || now.Spoiled) {
		return 0, errSpoiled
	}
	return s.store(ctx, m, revision)
}

// writeSynced replaces a file by one that is on the disk.
func writeSynced(name string, content []byte) error {
	f, err := os.OpenFile(name+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(name + ".new")
		return err
	}
	return os.Rename(name+".new", name)
}

package handlers

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"ticklane/internal/shard"
	"ticklane/internal/wire"
)

// Values of stream.engine.
const (
	engineStream = "stream" // goroutines for each connection
	engineShard  = "shard"  // a few writers for all connections
)

// Engines returns the engines of this build for each lane, the default first.
func Engines() [wire.Lanes][]string {
	var all [wire.Lanes][]string
	for lane := range all {
		all[lane] = []string{engineStream}
		if shard.Available {
			all[lane] = append(all[lane], engineShard)
		}
	}
	return all
}

// shardEngine starts the pool of engine shard when a stream first needs it. It is safe for concurrent use.
type shardEngine struct {
	options shard.Options
	tls     bool // of the server: its connections need a goroutine each
	logger  *slog.Logger

	failed atomic.Bool

	mu     sync.Mutex
	pool   *shard.Pool // nil until it is needed
	closed bool
}

// usable reports whether the engine can serve this server's connections. After a failure of its poller, engine stream
// serves new streams until the server is restarted.
func (e *shardEngine) usable() bool { return shard.Available && !e.tls && !e.failed.Load() }

// engines returns the engines that can serve a lane now, the configured one first.
func (e *shardEngine) engines(lane wire.Lane, configured string) []string {
	all := Engines()[lane]
	if !e.usable() {
		all = slices.DeleteFunc(all, func(name string) bool { return name == engineShard })
	}
	if k := slices.Index(all, configured); k > 0 {
		all = slices.Insert(slices.Delete(all, k, k+1), 0, configured)
	}
	return all
}

// add passes a connection to the pool.
func (e *shardEngine) add(h shard.Handoff) error {
	pool, err := e.start()
	if err != nil {
		return err
	}
	return pool.Add(h)
}

func (e *shardEngine) start() (*shard.Pool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, shard.ErrClosed
	}
	if e.pool == nil {
		o := e.options
		o.OnFailure = e.onFailure
		pool, err := shard.New(o)
		if err != nil {
			return nil, err
		}
		e.pool = pool
	}
	return e.pool, nil
}

func (e *shardEngine) onFailure(err error) {
	e.failed.Store(true)
	e.logger.Error("engine shard has failed: its streams were closed, and new ones run on engine stream until the server is started again", "err", err)
}

// closeAll closes the connections of the pool.
func (e *shardEngine) closeAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pool != nil {
		e.pool.CloseAll()
	}
}

// close stops the pool, and makes add return shard.ErrClosed.
func (e *shardEngine) close() {
	e.mu.Lock()
	e.closed = true
	pool := e.pool
	e.mu.Unlock()
	if pool != nil {
		pool.Close()
	}
}

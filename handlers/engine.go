package handlers

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"ticklane/internal/shard"
	"ticklane/internal/stream"
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

// shardEngine starts a pool of engine shard for each log when a stream first needs it. It is safe for concurrent use.
type shardEngine struct {
	options shard.Options // Log is set for each pool
	tls     bool          // of the server: its connections need a goroutine each
	logger  *slog.Logger

	failed atomic.Bool

	mu     sync.Mutex
	pools  map[*stream.Log]*shard.Pool // those that were needed
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

// add passes a connection to the pool of a log.
func (e *shardEngine) add(log *stream.Log, h shard.Handoff) error {
	pool, err := e.start(log)
	if err != nil {
		return err
	}
	return pool.Add(h)
}

func (e *shardEngine) start(log *stream.Log) (*shard.Pool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, shard.ErrClosed
	}
	pool := e.pools[log]
	if pool == nil {
		o := e.options
		o.Log, o.OnFailure = log, e.onFailure
		var err error
		if pool, err = shard.New(o); err != nil {
			return nil, err
		}
		if e.pools == nil {
			e.pools = make(map[*stream.Log]*shard.Pool)
		}
		e.pools[log] = pool
	}
	return pool, nil
}

func (e *shardEngine) onFailure(err error) {
	e.failed.Store(true)
	e.logger.Error("engine shard has failed: its streams were closed, and new ones run on engine stream until the server is started again", "err", err)
}

// closeAll closes the connections of the pools.
func (e *shardEngine) closeAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, pool := range e.pools {
		pool.CloseAll()
	}
}

// close stops the pools, and makes add return shard.ErrClosed.
func (e *shardEngine) close() {
	e.mu.Lock()
	e.closed = true
	pools := e.pools
	e.mu.Unlock()
	for _, pool := range pools {
		pool.Close()
	}
}

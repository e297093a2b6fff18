package stream

import (
	"errors"
	"fmt"
	"time"

	"ticklane/internal/quote"
)

// Values of Config.OnLag: what happens to a subscriber that falls off the log or lags by more than Config.MaxLag.
const (
	OnLagGap    = "gap"    // it gets a gap and a snapshot, and continues from the head
	OnLagLatest = "latest" // the same, and it is conflated from then on
)

// Values of Config.Compress: which streams are compressed, of those whose clients offer it.
const (
	CompressOff  = "off"  // none
	CompressOn   = "on"   // all
	CompressAuto = "auto" // those whose text enough other clients read too
)

// Config configures a Log. Universe, Epoch and Size are required.
type Config struct {
	Universe          *quote.Universe
	Events            *quote.Events // those that the ticks refer to; nil if they have none
	Epoch             uint64        // identifies this log; new for every log but one that continues another, never 0
	Start             uint64        // the seq at which the log begins: that of the last tick of the log that it continues, or 0
	Newest            []quote.Tick  // the newest tick of each symbol that has one before the log begins, for snapshots; their Seq is at most Start
	Size              int           // ticks kept, ≥ 1
	MaxLag            int           // ticks that a subscriber may lag; 0 for the log's size
	OnLag             string        // OnLagGap (default) or OnLagLatest
	Heartbeat         time.Duration // longest silence of a stream; default 15 s
	Retry             time.Duration // reconnection time sent to SSE clients; default 1 s
	FlushInterval     time.Duration // least time between two notifications of a group; default 0
	Interval          time.Duration // least time between writes of ticks to a stream conflated by OnLagLatest; 0 for none
	Compress          string        // CompressOff (default), CompressOn or CompressAuto
	MaxSharedEncoders int           // shared encoders in use at the same time
	CompressBudget    time.Duration // compression time available at once, before text is sent uncompressed; default 100 ms
	Grace             time.Duration // between the expiry of a client's credential and the end of its stream; default 25 s
	Delay             time.Duration // how far the log is behind the feed
	SnapshotChunk     int           // bytes of a snapshot's message, above which it is sent in parts; default 32 KiB
}

func (cfg *Config) validate() error {
	switch {
	case cfg.Universe == nil:
		return errors.New("stream: no universe")
	case cfg.Epoch == 0:
		return errors.New("stream: epoch must not be 0")
	case cfg.Size < 1:
		return fmt.Errorf("stream: size %d: must be at least 1", cfg.Size)
	}
	return nil
}

func (cfg *Config) setDefaults() {
	if cfg.OnLag == "" {
		cfg.OnLag = OnLagGap
	}
	if cfg.Compress == "" {
		cfg.Compress = CompressOff
	}
	if cfg.CompressBudget <= 0 {
		cfg.CompressBudget = 100 * time.Millisecond
	}
	if cfg.SnapshotChunk <= 0 {
		cfg.SnapshotChunk = 32 << 10
	}
	if cfg.Heartbeat <= 0 {
		cfg.Heartbeat = 15 * time.Second
	}
	if cfg.Grace <= 0 {
		cfg.Grace = 25 * time.Second
	}
	if cfg.Retry <= 0 {
		cfg.Retry = time.Second
	}
}

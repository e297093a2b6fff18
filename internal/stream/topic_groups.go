package stream

import (
	"sync"
	"sync/atomic"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// threshold is the number of subscribers of the same text from which CompressAuto compresses it. Compressing takes as long
// as one or two writes, so shared by eight it adds at most a fifth to the cost of a delivery, and saves two thirds of its
// bytes.
const threshold = 8

// topicGroups counts the subscribers that read the same text, and shares encoders between them.
type topicGroups struct {
	compress string       // Config.Compress
	free     atomic.Int32 // shared encoders that may still be made
	budget   compressBudget

	mu     sync.Mutex
	groups map[string]*topicGroup
}

// topicGroup is the live subscribers in one format of one set of symbols whose clients offered compression.
type topicGroup struct {
	key     string
	format  wire.Format
	topics  quote.Topics
	members atomic.Int32
	encoded atomic.Bool // it has an encoder

	// Guarded by topicGroups.mu.
	encoder *sharedEncoder
	readers int // of the encoder
}

func (t *topicGroups) init(compress string, maxEncoders int, budget time.Duration) {
	t.compress = compress
	t.free.Store(int32(maxEncoders))
	t.budget.init(budget)
	t.groups = make(map[string]*topicGroup)
}

// auto reports whether a stream is compressed only while its group is above the threshold.
func (t *topicGroups) auto(opt *Options) bool {
	return t.compress == CompressAuto && !opt.ForceCompress
}

// add adds a subscriber to the group of its topics. Every call needs one of remove.
func (t *topicGroups) add(format wire.Format, topics quote.Topics) *topicGroup {
	key := topicGroupKey(format, topics)
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.groups[key]
	if g == nil {
		g = &topicGroup{key: key, format: format, topics: topics}
		t.groups[key] = g
	}
	g.members.Add(1)
	return g
}

// topicGroupKey identifies a format and a set of symbols, as it is and as it grows.
func topicGroupKey(format wire.Format, topics quote.Topics) string {
	return string(topics.AppendKey([]byte{byte(format)}))
}

// remove undoes add. The subscriber must have released the group's encoder.
func (t *topicGroups) remove(g *topicGroup) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g.members.Add(-1) == 0 {
		delete(t.groups, g.key)
	}
}

// aboveThreshold reports whether a group with so many more members is large enough to be compressed in CompressAuto.
func (g *topicGroup) aboveThreshold(more int32) bool { return g.members.Load()+more >= threshold }

// wellBelowThreshold reports whether a group is too small for CompressAuto. The distance to the threshold keeps one client
// that comes and goes from switching compression on and off.
func (g *topicGroup) wellBelowThreshold() bool { return g.members.Load() < threshold/2 }

// acquireEncoder returns the group's encoder, or nil when no more encoders may be made. Every encoder returned needs a call
// of releaseEncoder.
func (t *topicGroups) acquireEncoder(l *Log, g *topicGroup) *sharedEncoder {
	if !g.encoded.Load() && t.free.Load() <= 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if g.encoder == nil {
		if t.free.Load() <= 0 {
			return nil
		}
		t.free.Add(-1)
		g.encoder = newSharedEncoder(l, g)
		g.encoded.Store(true)
	}
	g.readers++
	return g.encoder
}

// releaseEncoder undoes acquireEncoder. With the last reader, the encoder and its blocks are freed.
func (t *topicGroups) releaseEncoder(g *topicGroup) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g.readers--; g.readers > 0 {
		return
	}
	g.encoder.close() // only readers encode
	g.encoder = nil
	g.encoded.Store(false)
	t.free.Add(1)
}

package stream

import "sync/atomic"

// Meter counts the bytes of a stream that were written to its socket, with all framing, and the writes. The connection
// adds to it from any goroutine.
type Meter struct {
	Bytes  atomic.Uint64
	Writes atomic.Uint64
	_      [48]byte // two meters on one cache line would move it between processors with every write
}

// Add counts bytes and writes. Negative numbers correct earlier calls.
func (m *Meter) Add(bytes, writes int) {
	m.Bytes.Add(uint64(bytes))
	if writes != 0 {
		m.Writes.Add(uint64(writes))
	}
}

// Counters counts what one stream, or all streams of a lane, did.
type Counters struct {
	Ticks       uint64 `json:"ticks"`              // returned by Next, not necessarily delivered
	Messages    uint64 `json:"messages"`           // ticks and all others
	Writes      uint64 `json:"writes"`             // to the socket
	Payload     uint64 `json:"payload_bytes"`      // of the messages, before framing and compression
	Wire        uint64 `json:"wire_bytes"`         // written to the socket
	Gaps        uint64 `json:"gaps"`               // gap messages
	Conflated   uint64 `json:"conflated"`          // ticks left out in mode latest
	CompressIn  uint64 `json:"compress_in_bytes"`  // framed bytes that were compressed
	CompressOut uint64 `json:"compress_out_bytes"` // what they were compressed to
}

func (c *Counters) add(d Counters) {
	c.Ticks += d.Ticks
	c.Messages += d.Messages
	c.Writes += d.Writes
	c.Payload += d.Payload
	c.Wire += d.Wire
	c.Gaps += d.Gaps
	c.Conflated += d.Conflated
	c.CompressIn += d.CompressIn
	c.CompressOut += d.CompressOut
}

// LaneStats is what a lane did since the start, live streams included.
type LaneStats struct {
	Connections int `json:"connections"` // live now
	Counters
	Slow            uint64  `json:"slow"`             // streams closed because a write blocked too long
	Resumes         uint64  `json:"resumes"`          // streams opened with a position
	Opened          uint64  `json:"opened"`           // streams since the start
	CompressSeconds float64 `json:"compress_seconds"` // time spent compressing, all streams together
}

// Add adds the figures of another log.
func (t *LaneStats) Add(u LaneStats) {
	t.Connections += u.Connections
	t.add(u.Counters)
	t.Slow += u.Slow
	t.Resumes += u.Resumes
	t.Opened += u.Opened
	t.CompressSeconds += u.CompressSeconds
}

// streamCounters is written by a stream's owner and read by any goroutine. messages leaves out ticks.
type streamCounters struct {
	ticks, messages, payload, gaps, conflated, compressIn, compressOut atomic.Uint64
}

func (c *streamCounters) addBatch(b *batch) {
	c.ticks.Add(b.ticks)
	c.payload.Add(uint64(b.payload))
	if b.conflated > 0 {
		c.conflated.Add(b.conflated)
	}
	c.addCompressed(b.compressIn, b.compressOut)
}

func (c *streamCounters) addCompressed(in, out int) {
	if in > 0 {
		c.compressIn.Add(uint64(in))
		c.compressOut.Add(uint64(out))
	}
}

// Counters returns the stream's counters.
func (s *Subscriber) Counters() Counters {
	c := &s.counters
	ticks := c.ticks.Load()
	return Counters{
		Ticks:       ticks,
		Messages:    ticks + c.messages.Load(),
		Writes:      s.meter.Writes.Load(),
		Payload:     c.payload.Load(),
		Wire:        s.meter.Bytes.Load(),
		Gaps:        c.gaps.Load(),
		Conflated:   c.conflated.Load(),
		CompressIn:  c.compressIn.Load(),
		CompressOut: c.compressOut.Load(),
	}
}

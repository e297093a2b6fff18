package stream

import (
	"time"

	"ticklane/internal/wire"
)

// compress appends a block's text to the chunk: compressed, or as it is when compression is over its budget.
func (e *sharedEncoder) compress(b *block) {
	budget := &e.log.topicGroups.budget
	if budget.update() {
		b.uncompressed, e.needsKeyframe = true, true
		e.buf = appendUncompressed(e.buf[:0], b.text, e.format)
	} else {
		started := time.Now()
		if e.needsKeyframe || e.sinceKeyframe >= keyframeText || e.sinceKeyframe >= keyframeTextRequested && e.keyframeRequested.Load() {
			e.deflater.Reset()
			e.keyframeRequested.Store(false)
			b.keyframe, e.needsKeyframe, e.sinceKeyframe = true, false, 0
		}
		e.sinceKeyframe += len(b.text)
		if e.format.Lane() == wire.SSE {
			e.buf = e.deflater.AppendText(e.buf[:0], b.text)
		} else {
			e.buf = e.deflater.AppendFrames(e.buf[:0], b.text)
		}
		budget.charge(e.format.Lane(), started)
	}
	if len(e.chunk)+len(e.buf) > cap(e.chunk) {
		e.chunk = make([]byte, 0, max(chunkSize, len(e.buf)))
	}
	b.start = len(e.chunk)
	e.chunk = append(e.chunk, e.buf...)
	b.end = len(e.chunk)
	b.chunk = e.chunk
}

// appendUncompressed appends text in a form that any client understands, whatever its window holds.
func appendUncompressed(b, text []byte, format wire.Format) []byte {
	if format.Lane() == wire.SSE {
		return wire.AppendStored(b, text)
	}
	return append(b, text...)
}

// independent returns the block's text, compressed without reference to what came before. The first call
// compresses it.
func (e *sharedEncoder) independent(b *block, perMessage bool) []byte {
	if b.uncompressed {
		return b.bytes()
	}
	made := &b.independent
	if perMessage {
		made = &b.perMessage
	}
	if p := made.Load(); p != nil {
		return *p
	}
	e.independentMu.Lock()
	defer e.independentMu.Unlock()
	if p := made.Load(); p != nil {
		return *p
	}
	p := e.log.appendIndependent(nil, b.text, e.format, perMessage)
	made.Store(&p)
	return p
}

// minCompressed is the least text of a single SSE message that gets shorter by more than deflate's block headers take.
const minCompressed = 120

// appendIndependent appends rendered messages, compressed without reference to what came before; perMessage also without
// reference to each other.
func (l *Log) appendIndependent(b, text []byte, format wire.Format, perMessage bool) []byte {
	sse, budget := format.Lane() == wire.SSE, &l.topicGroups.budget
	if sse && len(text) < minCompressed || budget.update() {
		return appendUncompressed(b, text, format)
	}
	started := time.Now()
	if sse {
		b = wire.AppendIndependent(b, text)
	} else {
		b = wire.AppendIndependentFrames(b, text, perMessage)
	}
	budget.charge(format.Lane(), started)
	return b
}

package stream

import "hash/crc32"

// compressor reads a cursor's ticks as compressed bytes: from the shared encoder of the subscriber's topic group if there
// is one, otherwise compressed for this client only. One goroutine uses it.
type compressor struct {
	cursor  *cursor
	group   *topicGroup    // nil in mode latest
	encoder *sharedEncoder // nil while bytes are compressed for this client only
	kind    Compression
	auto    bool // compress only while the group is above the threshold

	// inSync: the client's window holds what the encoder has compressed since a keyframe, and nothing else. Only then may
	// it get a block that isn't a keyframe: with any other window the block would decompress to wrong text, without an error.
	inSync bool
	// aligned: the next tick of the cursor's topics is the first one of the block with number block.
	aligned bool
	block   uint64
	buf     []byte // bytes compressed for this client only

	gzip gzipStream
}

// gzipStream is the state of a client's gzip stream (RFC 1952).
type gzipStream struct {
	begun      bool // the header was written
	helloBytes int  // bytes of the hello at the start of the messages to seal next
	crc, size  uint32
}

// read reads on as cursor.read does.
func (c *compressor) read(lim *readLimits) (b batch, ok bool) {
	c.updateEncoder()
	if c.encoder == nil {
		return c.readIndependent(*lim)
	}
	return c.readShared(lim)
}

// updateEncoder starts or stops using the group's shared encoder, whichever is worth it now.
func (c *compressor) updateEncoder() {
	switch {
	case c.cursor.mode == ModeLatest:
		c.releaseEncoder()
	case c.encoder == nil && (c.group.aboveThreshold(0) || !c.auto):
		c.encoder = c.cursor.log.topicGroups.acquireEncoder(c.cursor.log, c.group)
	case c.encoder != nil && c.kind != CompressGzip && c.group.wellBelowThreshold() && c.auto:
		c.releaseEncoder()
	}
}

// releaseEncoder stops using the shared encoder. It may be called at any time.
func (c *compressor) releaseEncoder() {
	if c.encoder != nil {
		c.cursor.log.topicGroups.releaseEncoder(c.group)
		c.encoder = nil
		c.misalign()
	}
}

// misalign is called when the cursor moves other than by reading.
func (c *compressor) misalign() { c.aligned, c.inSync = false, false }

// readIndependent reads ticks and compresses them independently of what the client has received before.
func (c *compressor) readIndependent(lim readLimits) (b batch, ok bool) {
	lim.ticks = min(lim.ticks, segmentTicks)
	b, ok = c.cursor.read(&lim)
	if b.ticks == 0 {
		return b, ok
	}
	c.addToTrailer(b.bytes)
	if c.sendsPlain() {
		return b, ok // as uncompressed messages, which don't enter the client's window
	}
	c.inSync = false
	b.compressIn = len(b.bytes)
	c.buf = c.cursor.log.appendIndependent(c.buf[:0], b.bytes, c.cursor.format, c.kind == CompressPerMessage)
	b.bytes = c.buf
	b.compressOut = len(b.bytes)
	return b, ok
}

// readShared returns blocks of the shared encoder. When the cursor or a limit is inside a block, it returns the part of the
// block's ticks that is due, compressed independently.
func (c *compressor) readShared(lim *readLimits) (b batch, ok bool) {
	cur, e := c.cursor, c.encoder
	for cur.pos < lim.horizon {
		if !c.aligned {
			number, aligned, next := e.locate(cur.pos)
			if !aligned {
				upTo := *lim
				upTo.horizon = min(lim.horizon, next)
				if b, ok = c.readIndependent(upTo); b.ticks > 0 || !ok {
					return b, ok
				}
				continue
			}
			c.align(number)
		}
		encodedTo := e.encodedTo.Load()
		k, gone := e.block(c.block)
		switch {
		case gone:
			c.aligned = false
			continue
		case k == nil && encodedTo < lim.horizon:
			e.encode(lim.horizon)
			continue
		case k == nil:
			cur.pos = lim.horizon
			continue
		case k.lost:
			c.aligned = false
			continue
		case lim.exact && k.first > lim.horizon:
			cur.pos = lim.horizon
			continue
		case cur.lags(k.first, lim):
			return b, false
		case lim.exact && k.to > lim.horizon || k.ticks > lim.ticks:
			c.aligned = false
			upTo := *lim
			upTo.horizon = min(lim.horizon, k.to) // at least one tick comes before either
			return c.readIndependent(upTo)
		}
		b = c.readBlocks(k, lim)
		cur.noteCaughtUp(lim.lagFrom)
		return b, true
	}
	cur.noteCaughtUp(lim.lagFrom)
	return b, true
}

// align is called when the cursor is where a block begins.
func (c *compressor) align(number uint64) {
	if number != c.block {
		c.block, c.inSync = number, false
	}
	c.aligned, c.buf = true, nil
	c.cursor.dropPending()
}

// readBlocks returns block k, and the blocks after it whose bytes follow it in memory.
func (c *compressor) readBlocks(k *block, lim *readLimits) (b batch) {
	e := c.encoder
	b.first = k.first
	independent := c.kind == CompressPerMessage || !c.inSync && !k.keyframe
	switch {
	case k.uncompressed:
		c.inSync = false // the next block is a keyframe
		b.bytes = k.bytes()
	case independent:
		if c.kind != CompressPerMessage {
			e.requestKeyframe()
		}
		b.bytes = e.independent(k, c.kind == CompressPerMessage)
	default:
		c.inSync = true
		b.bytes = k.bytes()
	}
	b.compressOut = len(b.bytes)
	c.addBlock(&b, k)
	if independent || k.uncompressed {
		return b
	}
	for start := k.start; ; {
		next, _ := e.block(c.block)
		if next == nil || !next.continues(k) || next.end-start > lim.bytes || b.ticks+next.ticks > lim.ticks ||
			lim.exact && next.to > lim.horizon {
			return b
		}
		k = next
		b.bytes = k.chunk[start:k.end:k.end]
		b.compressOut = len(b.bytes)
		c.addBlock(&b, k)
	}
}

func (c *compressor) addBlock(b *batch, k *block) {
	b.ticks += k.ticks
	b.payload += k.payload
	b.last = k.last
	b.compressIn += len(k.text)
	c.addToTrailer(k.text)
	c.cursor.pos = k.to
	c.block = k.number + 1
}

// snapshotCompression returns how the next snapshot is compressed.
func (c *compressor) snapshotCompression() Compression {
	c.updateEncoder()
	switch {
	case c.kind == CompressGzip:
		return CompressGzip
	case c.sendsPlain():
		return CompressNone
	}
	return CompressPerMessage // of CompressDeflate too: the parts refer to nothing before them
}

// sendSnapshot notes that the client gets a part of a snapshot.
func (c *compressor) sendSnapshot(p *snapshotPart) {
	c.inSync = false
	c.addToTrailer(p.text)
}

// sendsPlain reports whether ticks that don't come from a shared encoder are sent as uncompressed messages.
func (c *compressor) sendsPlain() bool {
	return c.encoder == nil && c.kind != CompressGzip && (c.cursor.mode == ModeAll || c.auto)
}

// addToTrailer counts text in the checksum and size of the gzip trailer.
func (c *compressor) addToTrailer(text []byte) {
	if c.kind == CompressGzip {
		c.gzip.crc = crc32.Update(c.gzip.crc, crc32.IEEETable, text)
		c.gzip.size += uint32(len(text))
	}
}

package stream

// Compression is what a client offered, or what a stream was opened with.
type Compression uint8

// The compressions.
const (
	CompressNone       Compression = iota
	CompressGzip                   // SSE: Content-Encoding: gzip (RFC 1952)
	CompressDeflate                // WebSocket: permessage-deflate (RFC 7692)
	CompressPerMessage             // the same with server_no_context_takeover: each message independent of the others
)

// String returns the compression's name in lists.
func (c Compression) String() string {
	switch c {
	case CompressGzip:
		return "gzip"
	case CompressDeflate, CompressPerMessage:
		return "permessage-deflate"
	}
	return "none"
}

// CompressionEnabled reports whether any stream may be compressed.
func (l *Log) CompressionEnabled() bool { return l.cfg.Compress != CompressOff }

// SharedEncoders returns the number of shared encoders in use.
func (l *Log) SharedEncoders() int {
	return l.cfg.MaxSharedEncoders - int(l.topicGroups.free.Load())
}

// WouldCompress reports whether a stream on SSE would be compressed if it were opened now.
func (l *Log) WouldCompress(opt *Options) bool {
	t := &l.topicGroups
	switch auto := t.auto(opt); {
	case t.compress == CompressOff || opt.Compress != CompressGzip:
		return false
	case opt.Mode == ModeLatest:
		return !auto
	default:
		t.mu.Lock()
		defer t.mu.Unlock()
		g := t.groups[topicGroupKey(opt.format(), opt.Topics)]
		if g == nil {
			g = &topicGroup{}
		}
		return (!auto || g.aboveThreshold(1)) && (g.encoded.Load() || t.free.Load() > 0)
	}
}

// negotiate decides how a new stream is compressed. On SSE that is final, because the response's header declares it; on
// WebSocket each message may be compressed or not.
func (s *Subscriber) negotiate(opt *Options) {
	l := s.log
	if l.cfg.Compress == CompressOff || opt.Compress == CompressNone {
		return
	}
	if s.mode == ModeAll {
		s.topicGroup = l.topicGroups.add(s.format, s.topics)
	}
	c := &compressor{cursor: &s.cursor, group: s.topicGroup, kind: opt.Compress, auto: l.topicGroups.auto(opt)}
	if c.kind == CompressGzip {
		c.updateEncoder()
		if c.encoder == nil && (s.mode == ModeAll || c.auto) {
			return
		}
	}
	s.compressor, s.compression = c, c.kind
}

// changeTopicGroup moves the subscriber to the group of its present topics.
func (s *Subscriber) changeTopicGroup() {
	if s.topicGroup == nil {
		return
	}
	if s.compressor != nil {
		s.compressor.releaseEncoder()
	}
	s.log.topicGroups.remove(s.topicGroup)
	s.topicGroup = s.log.topicGroups.add(s.format, s.topics)
	if s.compressor != nil {
		s.compressor.group = s.topicGroup
	}
}

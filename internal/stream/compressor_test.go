package stream

import (
	"testing"

	"ticklane/internal/wire"
)

// newTestCompressor returns a compressor without a subscriber.
func newTestCompressor(t *testing.T, l *Log, p *fixture, kind Compression, auto bool) *compressor {
	format := wire.WSJSON
	if kind == CompressGzip {
		format = wire.SSEJSON
	}
	g := l.topicGroups.add(format, p.topics(t, "*"))
	c := &compressor{
		cursor: &cursor{log: l, format: format, topics: g.topics, pos: l.Head().Seq},
		group:  g,
		kind:   kind,
		auto:   auto,
	}
	t.Cleanup(func() { c.releaseEncoder(); l.topicGroups.remove(g) })
	return c
}

// TestUpdateEncoder: with CompressAuto, a stream uses a shared encoder from the threshold on, and stops below half of it.
func TestUpdateEncoder(t *testing.T) {
	p := newFixture(t, 10)
	for _, kind := range []Compression{CompressDeflate, CompressGzip} {
		l := p.log(t, Config{Size: 16, Compress: CompressAuto, MaxSharedEncoders: 1})
		c := newTestCompressor(t, l, p, kind, true)
		for _, x := range []struct {
			members int32
			want    bool
		}{{1, false}, {threshold - 1, false}, {threshold, true}, {threshold - 1, true}, {threshold / 2, true}, {threshold/2 - 1, kind == CompressGzip}} {
			c.group.members.Store(x.members)
			if c.updateEncoder(); (c.encoder != nil) != x.want {
				t.Errorf("%s, %d members: shared encoder %v", kind, x.members, c.encoder != nil)
			}
		}
		c.cursor.mode = ModeLatest
		if c.updateEncoder(); c.encoder != nil || l.SharedEncoders() != 0 {
			t.Errorf("%s, mode latest: a shared encoder", kind)
		}
		c.group.members.Store(1)
	}
}

// TestMaxSharedEncoders: no more encoders than that, and readers of an existing one are not affected.
func TestMaxSharedEncoders(t *testing.T) {
	p := newFixture(t, 10)
	l := p.log(t, Config{Size: 16, Compress: CompressOn, MaxSharedEncoders: 1})
	first, other := newTestCompressor(t, l, p, CompressDeflate, false), newTestCompressor(t, l, p, CompressGzip, false)
	same := newTestCompressor(t, l, p, CompressDeflate, false)
	for _, c := range []*compressor{first, other, same} {
		c.updateEncoder()
	}
	if first.encoder == nil || same.encoder != first.encoder || other.encoder != nil || l.SharedEncoders() != 1 {
		t.Errorf("%p, %p and %p; %d in use", first.encoder, same.encoder, other.encoder, l.SharedEncoders())
	}
	first.releaseEncoder()
	if other.updateEncoder(); other.encoder != nil {
		t.Error("a second encoder")
	}
	same.releaseEncoder()
	if other.updateEncoder(); other.encoder == nil || l.SharedEncoders() != 1 {
		t.Error("an encoder was not freed with its last reader")
	}
}

// TestInSync: a client gets a block that refers to earlier ones only after a keyframe, and not after bytes compressed for it only.
func TestInSync(t *testing.T) {
	p := newFixture(t, 100)
	l := p.log(t, Config{Size: 128, Compress: CompressOn, MaxSharedEncoders: 1})
	c := newTestCompressor(t, l, p, CompressDeflate, false)
	c.updateEncoder()
	read := func(seq uint64) {
		t.Helper()
		p.play(l, seq)
		b, ok := c.read(&readLimits{horizon: seq, lagFrom: seq, bytes: 1 << 16, ticks: 1000})
		if !ok || b.last != seq || b.compressOut != len(b.bytes) || b.compressIn == 0 {
			t.Fatalf("read %+v, %v", b, ok)
		}
	}
	if read(10); !c.inSync {
		t.Error("not in sync after a keyframe")
	}
	if read(20); !c.inSync {
		t.Error("not in sync after the next block")
	}
	if c.misalign(); c.inSync {
		t.Error("in sync after a move")
	}
	if read(30); c.inSync {
		t.Error("in sync without a keyframe")
	}
	if !c.encoder.keyframeRequested.Load() {
		t.Error("no keyframe was requested")
	}
}

// TestSealMessages: only gzip streams compress messages, the hello stays readable, and the last one ends the stream.
func TestSealMessages(t *testing.T) {
	p := newFixture(t, 10)
	l := p.log(t, Config{Size: 16, Compress: CompressOn, MaxSharedEncoders: 1})
	ws := newTestCompressor(t, l, p, CompressDeflate, false)
	if b, counted := ws.compressMessages([]byte("frame"), true); string(b) != "frame" || counted {
		t.Errorf("WebSocket: %q, counted %v", b, counted)
	}
	sse := newTestCompressor(t, l, p, CompressGzip, false)
	if b, counted := sse.compressMessages(nil, true); len(b) > 0 || counted {
		t.Errorf("no messages: %q, counted %v", b, counted)
	}
	sse.markHello(len("hello"))
	alone := *sse
	if b, _ := alone.compressMessages([]byte("hello"), false); string(b) != string(wire.AppendStored(wire.AppendGzipHeader(nil), []byte("hello"))) {
		t.Errorf("only the hello: %q", b)
	}
	first, _ := sse.compressMessages([]byte("hello, and more"), false)
	if want := wire.AppendStored(wire.AppendGzipHeader(nil), []byte("hello")); string(first[:len(want)]) != string(want) {
		t.Errorf("first message: %q", first)
	}
	second, counted := sse.compressMessages([]byte("bye"), true)
	if want := wire.AppendGzipEnd(wire.AppendStored(nil, []byte("bye")), sse.gzip.crc, sse.gzip.size); string(second) != string(want) || !counted {
		t.Errorf("last message: %q, want %q", second, want)
	}
}

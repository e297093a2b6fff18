package stream

import (
	"fmt"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// TestReadIndependent: which ticks are compressed for one client only.
func TestReadIndependent(t *testing.T) {
	p := newFixture(t, 100)
	for _, x := range []struct {
		kind       Compression
		mode       Mode
		auto       bool
		shared     bool // the stream has a shared encoder
		compressed bool
	}{
		{CompressGzip, ModeAll, false, false, true},
		{CompressGzip, ModeLatest, true, false, true},
		{CompressGzip, ModeAll, false, true, true},
		{CompressDeflate, ModeAll, false, false, false},
		{CompressDeflate, ModeAll, false, true, true},
		{CompressDeflate, ModeLatest, true, false, false},
		{CompressDeflate, ModeLatest, false, false, true},
		{CompressPerMessage, ModeAll, false, false, false},
		{CompressPerMessage, ModeLatest, false, false, true},
	} {
		l := p.log(t, Config{Size: 128, Compress: CompressOn, MaxSharedEncoders: 1})
		c := newTestCompressor(t, l, p, x.kind, x.auto)
		c.cursor.mode = x.mode
		c.cursor.seek(0)
		if x.shared {
			c.updateEncoder()
		}
		p.play(l, 20)
		c.inSync = true
		b, ok := c.readIndependent(readLimits{horizon: 20, lagFrom: 20, bytes: 1 << 16, ticks: 100})
		if !ok || b.ticks == 0 || (b.compressOut > 0) != x.compressed || c.inSync == x.compressed {
			t.Errorf("%+v: %d bytes of %d, in sync %v", x, b.compressOut, b.compressIn, c.inSync)
		}
		if rsv1 := b.bytes[0]&0x40 != 0; c.cursor.format == wire.WSJSON && rsv1 != x.compressed {
			t.Errorf("%+v: RSV1 is %v", x, rsv1)
		}
	}
}

// TestReadShared: a block is shared when it fits the limits exactly; one tick less, and the ticks are read independently.
func TestReadShared(t *testing.T) {
	p := newFixture(t, 100)
	for _, x := range []struct {
		lim    readLimits
		ticks  uint64
		shared bool
	}{
		{readLimits{horizon: 20, ticks: 20}, 20, true},
		{readLimits{horizon: 20, ticks: 19}, 19, false},
		{readLimits{horizon: 20, ticks: 20, exact: true}, 20, true},
		{readLimits{horizon: 19, ticks: 20, exact: true}, 19, false},
		{readLimits{horizon: 19, ticks: 20}, 20, true}, // the block may go beyond the horizon
	} {
		t.Run(fmt.Sprintf("%+v", x.lim), func(t *testing.T) {
			l := p.log(t, Config{Size: 128, Compress: CompressOn, MaxSharedEncoders: 1})
			c := newTestCompressor(t, l, p, CompressDeflate, false)
			c.updateEncoder()
			p.play(l, 20)
			c.encoder.encode(20)
			k, _ := c.encoder.block(0)
			x.lim.lagFrom, x.lim.bytes = x.lim.horizon, 1<<16
			b, ok := c.read(&x.lim)
			if shared := len(b.bytes) > 0 && &b.bytes[0] == &k.bytes()[0]; !ok || b.ticks != x.ticks || c.cursor.pos != x.ticks || shared != x.shared {
				t.Errorf("%d ticks, shared %v, at %d", b.ticks, shared, c.cursor.pos)
			}
		})
	}
}

// TestReadBeforeBlocks: a cursor that is before the encoder's first block, with none of its ticks between, reads on there.
func TestReadBeforeBlocks(t *testing.T) {
	u := testUniverse(t, 2)
	ids := make([]quote.ID, 20)
	ids[15] = 1
	p := fixtureOf(u, ids...)
	l := p.log(t, Config{Size: 32, Compress: CompressOn, MaxSharedEncoders: 1})
	g := l.topicGroups.add(wire.WSJSON, p.topics(t, "S1"))
	defer l.topicGroups.remove(g)
	p.play(l, 10)
	c := &compressor{cursor: &cursor{log: l, format: wire.WSJSON, topics: g.topics}, group: g, kind: CompressDeflate}
	defer c.releaseEncoder()
	c.updateEncoder()
	p.play(l, 20)
	b, ok := c.read(&readLimits{horizon: 20, lagFrom: 20, bytes: 1 << 16, ticks: 100})
	if !ok || b.ticks != 1 || b.last != 16 || !c.cursor.caughtUp {
		t.Errorf("%+v, %v, caught up %v", b, ok, c.cursor.caughtUp)
	}
}

// encodeBlocks returns a compressor at the first of three blocks of ten ticks each.
func encodeBlocks(t *testing.T, p *fixture) *compressor {
	l := p.log(t, Config{Size: 128, Compress: CompressOn, MaxSharedEncoders: 1})
	c := newTestCompressor(t, l, p, CompressDeflate, false)
	c.updateEncoder()
	for seq := uint64(10); seq <= 30; seq += 10 {
		p.play(l, seq)
		c.encoder.encode(seq)
	}
	return c
}

// TestReadBlocks: blocks that are adjacent in memory are returned together, as far as the limits allow.
func TestReadBlocks(t *testing.T) {
	p := newFixture(t, 100)
	e := encodeBlocks(t, p).encoder
	size := func(n uint64) int {
		b, _ := e.block(n)
		return b.end - b.start
	}
	for _, x := range []struct {
		lim   readLimits
		ticks uint64
	}{
		{readLimits{horizon: 30, ticks: 100, bytes: 1 << 16}, 30},
		{readLimits{horizon: 30, ticks: 100, bytes: size(0) + size(1)}, 20},
		{readLimits{horizon: 30, ticks: 100, bytes: size(0) + size(1) - 1}, 10},
		{readLimits{horizon: 30, ticks: 20, bytes: 1 << 16}, 20},
		{readLimits{horizon: 30, ticks: 19, bytes: 1 << 16}, 10},
		{readLimits{horizon: 20, ticks: 100, bytes: 1 << 16, exact: true}, 20},
		{readLimits{horizon: 19, ticks: 100, bytes: 1 << 16, exact: true}, 10},
		{readLimits{horizon: 19, ticks: 100, bytes: 1 << 16}, 30},
	} {
		c := encodeBlocks(t, p)
		x.lim.lagFrom = x.lim.horizon
		if b, ok := c.read(&x.lim); !ok || b.ticks != x.ticks {
			t.Errorf("%+v: %d ticks, want %d", x.lim, b.ticks, x.ticks)
		}
	}
}

func TestLocate(t *testing.T) {
	e := encodeBlocks(t, newFixture(t, 100)).encoder
	for _, x := range []struct {
		pos, number uint64
		aligned     bool
		next        uint64
	}{
		{0, 0, true, 0}, {1, 0, false, 10}, {9, 0, false, 10}, {10, 1, true, 0}, {15, 1, false, 20}, {20, 2, true, 0}, {29, 2, false, 30}, {30, 3, true, 0},
	} {
		if number, aligned, next := e.locate(x.pos); number != x.number || aligned != x.aligned || next != x.next {
			t.Errorf("%d: block %d, aligned %v, next %d; want %d, %v, %d", x.pos, number, aligned, next, x.number, x.aligned, x.next)
		}
	}
}

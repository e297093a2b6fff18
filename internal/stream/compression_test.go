package stream

import (
	"testing"

	"ticklane/internal/wire"
)

// TestNegotiate: how a stream is compressed, and whether WouldCompress agrees on SSE.
func TestNegotiate(t *testing.T) {
	p := newFixture(t, 10)
	for _, c := range []struct {
		name     string
		compress string
		encoders int
		others   int // of the same topics
		opt      Options
		want     Compression
		shared   bool // by a shared encoder
	}{
		{"off", CompressOff, 1, 0, Options{Compress: CompressGzip}, CompressNone, false},
		{"not offered", CompressOn, 1, 0, Options{}, CompressNone, false},
		{"on", CompressOn, 1, 0, Options{Compress: CompressGzip}, CompressGzip, true},
		{"on, no encoder free", CompressOn, 0, 0, Options{Compress: CompressGzip}, CompressNone, false},
		{"on, mode latest", CompressOn, 0, 0, Options{Compress: CompressGzip, Mode: ModeLatest}, CompressGzip, false},
		{"auto, too few", CompressAuto, 1, threshold - 2, Options{Compress: CompressGzip}, CompressNone, false},
		{"auto, enough", CompressAuto, 1, threshold - 1, Options{Compress: CompressGzip}, CompressGzip, true},
		{"auto, enough, no encoder free", CompressAuto, 0, threshold - 1, Options{Compress: CompressGzip}, CompressNone, false},
		{"auto, enough, the encoder is in use", CompressAuto, 1, threshold, Options{Compress: CompressGzip}, CompressGzip, true},
		{"auto, forced", CompressAuto, 1, 0, Options{Compress: CompressGzip, ForceCompress: true}, CompressGzip, true},
		{"auto, mode latest", CompressAuto, 1, threshold, Options{Compress: CompressGzip, Mode: ModeLatest}, CompressNone, false},
		{"auto, mode latest, forced", CompressAuto, 1, 0, Options{Compress: CompressGzip, Mode: ModeLatest, ForceCompress: true}, CompressGzip, false},
		{"WebSocket, auto, too few", CompressAuto, 1, 0, Options{Format: wire.WSJSON, Compress: CompressDeflate}, CompressDeflate, false},
		{"WebSocket, no encoder free", CompressOn, 0, 0, Options{Format: wire.WSJSON, Compress: CompressDeflate}, CompressDeflate, false},
		{"WebSocket, off", CompressOff, 1, 0, Options{Format: wire.WSJSON, Compress: CompressDeflate}, CompressNone, false},
	} {
		l := p.log(t, Config{Size: 16, Compress: c.compress, MaxSharedEncoders: c.encoders})
		c.opt.Topics = p.topics(t, "*")
		for range c.others {
			defer l.Subscribe(Options{Format: c.opt.Format, Topics: c.opt.Topics, Compress: c.opt.Compress}).Close()
		}
		would := l.WouldCompress(&c.opt)
		s := l.Subscribe(c.opt)
		if s.Compression() != c.want || (s.compressor != nil) != (c.want != CompressNone) {
			t.Errorf("%s: %s, want %s", c.name, s.Compression(), c.want)
		}
		if shared := s.compressor != nil && s.compressor.encoder != nil; c.opt.Format.Lane() == wire.SSE && shared != c.shared {
			t.Errorf("%s: by a shared encoder: %v", c.name, shared)
		}
		if want := c.want == CompressGzip; would != want {
			t.Errorf("%s: WouldCompress returns %v", c.name, would)
		}
		if l.CompressionEnabled() != (c.compress != CompressOff) {
			t.Errorf("%s: enabled %v", c.name, l.CompressionEnabled())
		}
		s.Close()
	}
}

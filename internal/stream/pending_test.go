package stream

import (
	"testing"

	"ticklane/internal/quote"
)

// TestPendingIsBounded: a client that requests the whole log and then doesn't read takes little memory.
func TestPendingIsBounded(t *testing.T) {
	p := newFixture(t, 24_000)
	l := p.log(t, Config{Size: 1 << 16})
	p.play(l, 24_000)
	c := subscribe(t, l, Options{Topics: p.topics(t, "S0", "S1", "S2", "S3", "S4", "S5", "S6", "S9"), From: FromOldest})
	w := newChecker(t, p, c.opt.Topics, ModeAll)
	for b := c.Next(noon); len(b) > 0; b = c.Next(noon) {
		w.check(c.decode(b)...)
		if n := cap(c.pending); n > 16<<10 {
			t.Fatalf("room for %d pending ticks", n)
		}
	}
	if w.checked < 23_990 {
		t.Errorf("it ends at %d", w.checked)
	}
}

// TestBuffersShrinkAfterCatchingUp: the memory that a cursor needed to catch up is freed.
func TestBuffersShrinkAfterCatchingUp(t *testing.T) {
	p := newFixture(t, 12_000)
	l := p.log(t, Config{Size: 1 << 16})
	p.play(l, 11_900)
	c := subscribe(t, l, Options{Topics: p.topics(t, "S0", "S1", "S2", "S3", "S4", "S5"), From: FromOldest})
	c.take(noon)
	for seq := uint64(11_901); seq <= 12_000; seq++ {
		p.play(l, seq)
		c.take(noon)
	}
	if c.pos != 12_000 || cap(c.pending) > 256 || cap(c.buf) > 4<<10 {
		t.Errorf("at %d it keeps room for %d pending ticks and %d bytes", c.pos, cap(c.pending), cap(c.buf))
	}
}

// TestFarBehind: a client with more pending ticks than are collected at once gets all of them, if only ticks of other topics
// have left the log; otherwise it gets a gap.
func TestFarBehind(t *testing.T) {
	for _, lost := range []bool{false, true} {
		ids := make([]quote.ID, 22_000)
		for i := range ids {
			if i < 10 || i >= 8_000 || lost && i == 3000 {
				ids[i] = quote.ID(1 + i%2)
			}
		}
		p := fixtureOf(testUniverse(t, testSymbols), ids...)
		l := p.log(t, Config{Size: 16_000})
		c := subscribe(t, l, Options{Topics: p.topics(t, "S1", "S2")})
		w := newChecker(t, p, c.opt.Topics, ModeAll)
		w.check(c.take(noon)...)
		p.play(l, 10)
		w.check(c.take(noon)...)
		p.play(l, 22_000)
		w.check(c.take(noon)...)
		if w.checked != 22_000 || lost && len(w.gaps) != 1 || !lost && (len(w.gaps) > 0 || w.ticks != 14_010) {
			t.Errorf("lost %v: %d ticks up to %d, gaps %v", lost, w.ticks, w.checked, w.gaps)
		}
	}
}

// TestNoGapForQuietTopics: a client of many topics that were all quietSymbol has lost nothing, however far the log went.
func TestNoGapForQuietTopics(t *testing.T) {
	const symbols = 400
	var ids []quote.ID
	for range 2000 {
		ids = append(ids, 0)
	}
	p := fixtureOf(testUniverse(t, symbols), ids...)
	var names []string
	for _, s := range p.u.Instruments()[1:] {
		names = append(names, s.Symbol)
	}
	l := p.log(t, Config{Size: 10})
	c := subscribe(t, l, Options{Topics: p.topics(t, names...)})
	w := newChecker(t, p, c.opt.Topics, ModeAll)
	w.check(c.take(noon)...)
	p.play(l, 1500)
	got := c.take(noon)
	w.check(got...)
	if kinds(got) != "hb" {
		t.Errorf("got %s", kinds(got))
	}
}

package history

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
)

// importAll imports the bars of all symbols, and returns the seq of the newest tick in them.
func importAll(t testing.TB, to, from *Store) (newest uint64) {
	t.Helper()
	from.mu.Lock()
	complete := from.seq
	from.mu.Unlock()
	for id := range quote.ID(followSymbols) {
		seq, err := to.Import(id, func(w Wanted) ([]byte, error) { return from.Export(id, w) })
		if err != nil {
			t.Fatal(err)
		}
		newest = max(newest, seq)
	}
	to.Complete(complete)
	return newest
}

// TestImport: a store that begins with the bars of another one has the same as one that got all ticks, while the other goes on.
func TestImport(t *testing.T) {
	r, u := testkit.Rand(t), symbols(t, followSymbols)
	ticks := followTicks(8000)
	inMemory := func() *Store {
		s, err := New(u, DefaultKeep)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	all := inMemory()
	all.Add(slices.Clone(ticks))
	for _, c := range []struct {
		name string
		open func(t *testing.T) *Store
		want *Store
	}{
		{"memory", func(*testing.T) *Store { return inMemory() }, all},
		{"new file", func(t *testing.T) *Store { return open(t, options(t, u, t.TempDir())) }, undisturbed(t, u, ticks)},
		{"file with the first ticks", func(t *testing.T) *Store {
			o := options(t, u, t.TempDir())
			s := open(t, o)
			s.Follow(7)
			s.AddPaced(slices.Clone(ticks[:1000]))
			shut(t, s)
			return open(t, o)
		}, undisturbed(t, u, ticks)},
		{"file of another epoch", func(t *testing.T) *Store {
			o := options(t, u, t.TempDir())
			s := open(t, o)
			s.Follow(6)
			s.AddPaced(slices.Clone(ticks[:1000]))
			shut(t, s)
			return open(t, o)
		}, undisturbed(t, u, ticks)},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := open(t, options(t, u, t.TempDir()))
			defer shut(t, from)
			from.Follow(7)
			start := 3000 + r.IntN(2000)
			from.AddPaced(slices.Clone(ticks[:start]))
			done := make(chan struct{})
			go func() {
				defer close(done)
				for part := range slices.Chunk(slices.Clone(ticks[start:6000]), 10) {
					from.AddPaced(part)
					time.Sleep(10 * time.Microsecond)
				}
			}()
			s := c.open(t)
			if s.saved != nil {
				defer shut(t, s)
			}
			s.Follow(7)
			newest := importAll(t, s, from)
			<-done
			complete := s.Follow(7)
			if complete < uint64(start) || newest < complete || newest > 6000 {
				t.Fatalf("complete up to %d, newest %d, after %d", complete, newest, start)
			}
			addAgain(s, r, 7, ticks)
			checkSame(t, s, c.want)
		})
	}
}

// TestImportManyBars: more bars than a part has, and than memory keeps.
func TestImportManyBars(t *testing.T) {
	u := symbols(t, 1)
	from, to := open(t, options(t, u, t.TempDir())), open(t, options(t, u, t.TempDir()))
	defer shut(t, from)
	defer shut(t, to)
	from.Follow(7)
	var ticks []quote.Tick
	for i := range 2*partBars + 100 {
		k := tick(float64(10*i), quote.Price(i), quote.Size(i))
		k.Seq = uint64(i + 1)
		ticks = append(ticks, k)
	}
	from.AddPaced(ticks)
	to.Follow(7)
	parts := 0
	newest, err := to.Import(0, func(w Wanted) ([]byte, error) {
		parts++
		return from.Export(0, w)
	})
	if err != nil || newest != uint64(len(ticks)) || parts != 3 {
		t.Fatalf("newest %d in %d parts, %v", newest, parts, err)
	}
	got, err := to.Bars(0, TenSeconds, Latest, len(ticks)+1)
	want, err2 := from.Bars(0, TenSeconds, Latest, len(ticks)+1)
	if err != nil || err2 != nil || len(want.Bars) != len(ticks) || !slices.Equal(got.Bars, want.Bars) {
		t.Errorf("%d bars, want %d, %v %v", len(got.Bars), len(want.Bars), err, err2)
	}
}

func TestImportFails(t *testing.T) {
	u := symbols(t, 1)
	s := newStore(t, 1, 10)
	from := open(t, options(t, u, t.TempDir()))
	defer shut(t, from)
	from.Add([]quote.Tick{tick(10, 5, 0), tick(30, 6, 0)})
	export := func(change func(*part)) func(Wanted) ([]byte, error) {
		return func(w Wanted) ([]byte, error) {
			b, err := from.Export(0, w)
			if err != nil {
				return nil, err
			}
			p, err := parsePart(b)
			if err != nil {
				return nil, err
			}
			change(p)
			return p.append(nil), nil
		}
	}
	for want, ask := range map[string]func(Wanted) ([]byte, error){
		"no answer":       func(Wanted) ([]byte, error) { return nil, errors.New("no answer") },
		"another version": func(Wanted) ([]byte, error) { return []byte{9, 0, 0}, nil },
		"damaged":         func(Wanted) ([]byte, error) { return []byte{partVersion, 0}, nil },
		"decimals":        export(func(p *part) { p.decimals++ }),
		"asked for": func(Wanted) ([]byte, error) { // the same bars again
			return export(func(p *part) { p.more[0] = true })(Wanted{Before: [len(spans)]int64{Latest, Latest, Latest, Latest}})
		},
	} {
		if _, err := s.Import(0, ask); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %q", err, want)
		}
	}
	if _, err := from.Export(1, Wanted{}); err == nil {
		t.Error("bars of a symbol that doesn't exist")
	}
}

func FuzzPart(f *testing.F) {
	p := part{decimals: 2, taken: taken{quote.Position{Epoch: 7, Seq: 9}, 1e6}, volume: volumeDay{1, 2, true}}
	p.bars[0] = []Bar{{T: 10e6, O: 5, H: 7, L: 4, C: 6, V: 8}, {T: 30e6, O: 1, H: 1, L: 1, C: 1}}
	f.Add(p.append(nil))
	f.Add([]byte{partVersion, 2, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePart(b)
		if err != nil {
			return
		}
		again, err := parsePart(p.append(nil))
		if err != nil {
			t.Fatal(err)
		}
		for k := range spans {
			if !slices.Equal(p.bars[k], again.bars[k]) {
				t.Errorf("bars %v, want %v", again.bars[k], p.bars[k])
			}
		}
		if p.taken != again.taken || p.volume != again.volume {
			t.Errorf("%+v, want %+v", again, p)
		}
	})
}

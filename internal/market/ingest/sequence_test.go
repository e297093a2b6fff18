package ingest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSequence compares it with a set of all numbers that were taken.
func TestSequence(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var s sequence
		taken := map[uint64]bool{}
		last := uint64(0)
		for range 60 {
			n := 1 + uint64(r.IntN(40))
			if got := s.take(n); got == taken[n] {
				t.Fatalf("%d: new %v after %v, holes %v", n, got, taken, s.holes)
			}
			taken[n], last = true, max(last, n)
			var holes []Range
			for k := uint64(1); k < last; k++ {
				switch {
				case taken[k]:
				case len(holes) > 0 && holes[len(holes)-1].To == k-1:
					holes[len(holes)-1].To = k
				default:
					holes = append(holes, Range{k, k})
				}
			}
			if s.last != last || !slices.Equal(s.holes, holes) {
				t.Fatalf("last %d, holes %v, want %d, %v", s.last, s.holes, last, holes)
			}
		}
	}
}

// TestSequenceBounds: the oldest holes and the sources that were opened longest ago are forgotten, except for those in use.
func TestSequenceBounds(t *testing.T) {
	var s sequence
	for n := uint64(2); len(s.holes) < maxHoles; n += 2 {
		s.take(n)
	}
	if s.take(s.last + 5); len(s.holes) != maxHoles || s.holes[0].From != 3 || s.take(1) || !s.take(3) {
		t.Errorf("%d holes, the first %v", len(s.holes), s.holes[0])
	}
	all := sequences{bySource: map[string]*sourceSequence{}}
	used := all.open("used", "")
	used.inputs++
	for i := range maxSources + 10 {
		all.open(fmt.Sprint(i), "").take(1)
	}
	if len(all.bySource) != maxSources || all.bySource["used"] != used || all.bySource["0"] != nil || all.bySource[fmt.Sprint(maxSources)] == nil {
		t.Errorf("%d sources", len(all.bySource))
	}
}

// TestSplitHolesAreBounded fills every second number of a hole, which splits it.
func TestSplitHolesAreBounded(t *testing.T) {
	for name, fill := range map[string]func(*sequence, uint64){
		"number": func(s *sequence, n uint64) { s.take(n) },
		"range":  func(s *sequence, n uint64) { s.takeRange(Range{n, n}) },
	} {
		var s sequence
		s.take(10_000)
		for n := uint64(2); n < 9_000; n += 2 {
			fill(&s, n)
		}
		if n := len(s.holes); n != maxHoles || s.holes[n-1] != (Range{8_999, 9_999}) {
			t.Errorf("%s: %d holes", name, n)
		}
	}
}

// TestSourcesOfSubjects: a sequence belongs to the subject that used its name first, and no subject makes the server forget those of
// others.
func TestSourcesOfSubjects(t *testing.T) {
	all := sequences{bySource: map[string]*sourceSequence{}}
	hers := all.open("ticker", "ana")
	for i := range 3 * maxSources {
		if all.open(fmt.Sprint(i), "bob") == nil {
			t.Fatalf("source %d was refused", i)
		}
	}
	if all.open("ticker", "bob") != nil || all.open("ticker", "ana") != hers || len(all.bySource) != maxSources {
		t.Errorf("%d sources", len(all.bySource))
	}
}

package storm

import "slices"

// Wrong returns how many quotes in the snapshots that f received since Begin differ from the ticks that the first client of
// watch received. Quotes of times that watch hasn't seen are not checked.
func (f *Fleet) Wrong(watch *Fleet) int64 {
	watch.mu.Lock()
	ticks := slices.Clone(watch.ticks)
	watch.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	wrong := int64(0)
	for _, s := range f.parser.snapshots {
		wrong += wrongQuotes(s, ticks)
	}
	return wrong
}

// wrongQuotes returns how many quotes of a snapshot aren't the newest ticks of their symbols at its seq. The ticks have
// ascending seqs without holes.
func wrongQuotes(s *snapshotText, ticks []quoted) (wrong int64) {
	if len(ticks) == 0 || s.seq < ticks[0].seq || s.seq > ticks[len(ticks)-1].seq {
		return 0
	}
	newest := map[uint64]quoted{}
	for _, t := range ticks {
		if t.seq > s.seq {
			break
		}
		newest[t.symbol] = t
	}
	for _, q := range s.part.each {
		t, ok := newest[q.symbol]
		switch {
		case ok && q != t, !ok && q.seq >= ticks[0].seq:
			wrong++
		}
	}
	return wrong
}

package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"ticklane/internal/quote"
)

// Wanted says which bars of a symbol another store sends: for each stored length those that start at From or later and before Before,
// in µs since 1970.
type Wanted struct {
	From   [len(spans)]int64 `json:"from"`
	Before [len(spans)]int64 `json:"before"`
}

// partBars is the largest number of bars of each length that Export returns: a part is much smaller than 1 MB.
const partBars = 2048

const partVersion = 1

// part has bars of a symbol, the newest in a range, and what is needed to continue them.
type part struct {
	decimals, sizeDecimals uint8
	volume                 volumeDay
	taken                  taken
	bars                   [len(spans)][]Bar
	more                   [len(spans)]bool // there are older ones in the range
}

// Export returns bars of a symbol for the Import of another store, as many of the newest as fit.
func (s *Store) Export(id quote.ID, w Wanted) ([]byte, error) {
	if id < 0 || int(id) >= s.universe.Len() {
		return nil, fmt.Errorf("id: %d: the universe has %d symbols", id, s.universe.Len())
	}
	in := s.universe.Instrument(id)
	p := part{decimals: in.Decimals, sizeDecimals: in.SizeDecimals}
	oldest := s.oldestNeeded()
	var older [len(spans)]olderBars
	var all [len(spans)]bool
	s.mu.Lock()
	for k := range spans {
		var page Page
		page, older[k], all[k] = s.inMemory(id, k, max(w.From[k], oldest[k]), w.Before[k], partBars)
		p.bars[k] = page.Bars
	}
	x := &s.symbols[id]
	p.volume, p.taken = x.volume, x.taken
	s.mu.Unlock()
	for k := range spans {
		missing := partBars - len(p.bars[k])
		if s.saved != nil && !all[k] && missing > 0 {
			stored, err := s.saved.read(older[k].series, k, max(w.From[k], oldest[k]), min(w.Before[k], older[k].than), missing)
			if err != nil {
				return nil, err
			}
			p.bars[k] = append(stored, p.bars[k]...)
		}
		p.more[k] = len(p.bars[k]) == partBars
	}
	return p.append(nil), nil
}

// Import adds the bars of a symbol that another store has of the same log: its newest bar, which may be incomplete, is replaced, and
// later ones are added. ask returns what the other store's Export does. After that Add leaves out ticks that are in the bars; Import
// returns the seq of the newest. Call it after Follow, before the first Add and before Delayed.
func (s *Store) Import(id quote.ID, ask func(Wanted) ([]byte, error)) (newest uint64, err error) {
	w := s.lacking(id)
	var all *part
	for again := true; again; {
		data, err := ask(w)
		if err != nil {
			return 0, err
		}
		p, err := parsePart(data)
		if err != nil {
			return 0, fmt.Errorf("bars of %s: %w", s.universe.Instrument(id).Symbol, err)
		}
		if all == nil {
			all = p
		}
		again = false
		for k := range spans {
			if n := len(p.bars[k]); n > 0 && (p.bars[k][0].T < w.From[k] || p.bars[k][n-1].T >= w.Before[k]) {
				return 0, fmt.Errorf("bars of %s: %w: not those that were asked for", s.universe.Instrument(id).Symbol, errDamaged)
			}
			if p != all {
				all.bars[k] = append(p.bars[k], all.bars[k]...)
			}
			if !p.more[k] || s.saved == nil && len(all.bars[k]) >= s.keep[k] {
				w.From[k] = Latest // no more
				continue
			}
			w.Before[k], again = all.bars[k][0].T, true
		}
	}
	return all.taken.Seq, s.adopt(id, all)
}

// Complete notes that the bars have all ticks of the log that is followed up to a seq, by Import of all symbols.
func (s *Store) Complete(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq = max(s.seq, seq)
}

// lacking returns what the store may lack of a symbol.
func (s *Store) lacking(id quote.ID) Wanted {
	w := Wanted{From: s.oldestNeeded()}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.symbol(id)
	for k := range spans {
		w.Before[k] = Latest
		if n := x.written[k]; n > 0 {
			w.From[k] = max(w.From[k], x.bars[k][(n-1)%len(x.bars[k])].T)
		}
	}
	return w
}

// adopt adds the bars of a part.
func (s *Store) adopt(id quote.ID, p *part) error {
	in := s.universe.Instrument(id)
	if p.decimals != in.Decimals || p.sizeDecimals != in.SizeDecimals {
		return fmt.Errorf("bars of %s: they have %d and %d decimals, here %d and %d", in.Symbol, p.decimals, p.sizeDecimals, in.Decimals, in.SizeDecimals)
	}
	for k := range spans {
		for bars := range slices.Chunk(p.bars[k], max(1, s.keep[k]/2-1)) {
			s.mu.Lock()
			x := s.symbol(id)
			for _, b := range bars {
				if newest := x.written[k] - 1; newest >= 0 && x.bars[k][newest%len(x.bars[k])].T == b.T {
					x.bars[k][newest%len(x.bars[k])] = b
				} else {
					s.push(x, k, b)
				}
				s.latest = max(s.latest, b.T)
			}
			x.dirty = true
			s.mu.Unlock()
			s.SaveIfNeeded()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.symbol(id)
	if n := x.written[days]; n > 0 {
		x.dayEnd = in.Session.Day(x.bars[days][(n-1)%len(x.bars[days])].T).End
	}
	x.volume, x.taken = p.volume, p.taken
	s.continueSymbol(x)
	return nil
}

// append appends the part: its version, the decimals, the day's volume, which ticks the bars have, and for each length a flag, the
// number of bars and the bars.
func (p *part) append(b []byte) []byte {
	b = append(b, partVersion, p.decimals, p.sizeDecimals)
	b = appendFlag(b, p.volume.seen)
	b = binary.AppendVarint(b, int64(p.volume.number))
	b = binary.AppendVarint(b, int64(p.volume.volume))
	b = binary.AppendUvarint(b, p.taken.Epoch)
	b = binary.AppendUvarint(b, p.taken.Seq)
	b = binary.AppendVarint(b, p.taken.since)
	for k := range spans {
		b = appendFlag(b, p.more[k])
		b = binary.AppendUvarint(b, uint64(len(p.bars[k])))
		at, close := int64(0), quote.Price(0)
		for i := range p.bars[k] {
			bar := &p.bars[k][i]
			b = binary.AppendVarint(b, (bar.T-at)/1e6)
			b = appendPrices(b, bar, close)
			at, close = bar.T, bar.C
		}
	}
	return b
}

// parsePart parses what append appends.
func parsePart(b []byte) (*part, error) {
	if len(b) == 0 || b[0] != partVersion {
		return nil, errors.New("bars of another version of Ticklane: run the same on all servers")
	}
	if len(b) < 3 {
		return nil, errDamaged
	}
	r, p := reader{rest: b[3:]}, &part{decimals: b[1], sizeDecimals: b[2]}
	p.volume.seen = r.flag()
	p.volume.number, p.volume.volume = int32(r.int()), quote.Size(r.int())
	p.taken.Epoch, p.taken.Seq, p.taken.since = r.uint(), r.uint(), r.int()
	for k := range spans {
		p.more[k] = r.flag()
		n := r.uint()
		r.failed = r.failed || n > partBars || p.more[k] && n == 0
		at, close := int64(0), quote.Price(0)
		for i := uint64(0); i < n && !r.failed; i++ {
			bar := Bar{T: at + r.times(1e6)}
			r.failed = r.failed || i > 0 && bar.T <= at
			r.prices(&bar, close)
			p.bars[k] = append(p.bars[k], bar)
			at, close = bar.T, bar.C
		}
	}
	if r.failed || len(r.rest) > 0 {
		return nil, errDamaged
	}
	return p, nil
}

// Stored reports whether the bars are kept in a file.
func (s *Store) Stored() bool { return s.saved != nil }

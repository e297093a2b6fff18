package adapter

// seq is a provider's own number of a message.
type seq struct {
	symbol     string
	number     uint64
	contiguous bool
}

// gap is a hole in a provider's numbers of a symbol.
type gap struct {
	symbol   string
	from, to uint64 // the numbers on both sides, which arrived
	missed   uint64 // how many are missing; 0 if the provider doesn't count one by one
}

// gapDetector finds gaps in the numbers of each symbol.
type gapDetector struct {
	last      map[string]uint64
	connected map[string]bool // symbols that had a number on this connection
}

// begin handles a new connection.
func (d *gapDetector) begin() {
	if d.last == nil {
		d.last = map[string]uint64{}
	}
	d.connected = map[string]bool{}
}

// next handles a number and reports whether there is a gap before it. A number that is not newer is ignored.
func (d *gapDetector) next(s seq) (gap, bool) {
	last, known := d.last[s.symbol]
	first := !d.connected[s.symbol]
	d.connected[s.symbol] = true
	if known && s.number <= last && !first {
		return gap{}, false
	}
	d.last[s.symbol] = s.number
	if !known || s.number <= last+1 {
		return gap{}, false // the first, the next one, or the provider counts anew
	}
	if s.contiguous {
		return gap{s.symbol, last, s.number, s.number - last - 1}, true
	}
	return gap{symbol: s.symbol, from: last, to: s.number}, first
}

package main

import "slices"

// Spread is a median with the least and the most of its rounds.
type Spread struct {
	Median, Least, Most float64
	N                   int
}

func spread(v []float64) Spread {
	if len(v) == 0 {
		return Spread{}
	}
	v = slices.Sorted(slices.Values(v))
	m := v[len(v)/2]
	if len(v)%2 == 0 {
		m = (v[len(v)/2-1] + m) / 2
	}
	return Spread{m, v[0], v[len(v)-1], len(v)}
}

// Row is what a summary tells of one server under one load: its rounds together.
type Row struct {
	Experiment, Shape, Variant string
	Subs                       int
	Rate                       float64
	Slots                      []*Slot
	Missing                    string
}

// rows are those of an experiment, in the order of their first measurement.
func (r *Result) rows(experiment string) []*Row {
	type key struct {
		shape, variant string
		subs           int
		rate           float64
	}
	at := map[key]*Row{}
	var out []*Row
	for _, s := range r.Slots {
		if s.Experiment != experiment {
			continue
		}
		k := key{s.Shape, s.Variant, s.Subs, s.Rate}
		row := at[k]
		if row == nil {
			row = &Row{Experiment: experiment, Shape: s.Shape, Variant: s.Variant, Subs: s.Subs, Rate: s.Rate}
			at[k] = row
			out = append(out, row)
		}
		if s.Missing != "" {
			row.Missing = s.Missing
			continue
		}
		row.Slots = append(row.Slots, s)
	}
	return out
}

// of is the spread of one figure over a row's rounds.
func (row *Row) of(f func(*Slot) float64) Spread {
	var v []float64
	for _, s := range row.Slots {
		v = append(v, f(s))
	}
	return spread(v)
}

// ratios are a row's figure over that of another row in the same round of the same run.
func (row *Row) ratios(to *Row, f func(*Slot) float64) Spread {
	var v []float64
	if to == nil {
		return Spread{}
	}
	for _, a := range row.Slots {
		for _, b := range to.Slots {
			if a.Run == b.Run && a.Round == b.Round && f(b) > 0 {
				v = append(v, f(a)/f(b))
			}
		}
	}
	return spread(v)
}

// whole says that no round of the row missed a tick.
func (row *Row) whole() bool {
	for _, s := range row.Slots {
		if s.Counts != nil && !s.Counts.Whole() {
			return false
		}
	}
	return len(row.Slots) > 0
}

// sustained says that each round of the row was.
func (row *Row) sustained() bool {
	for _, s := range row.Slots {
		if !s.sustained() {
			return false
		}
	}
	return len(row.Slots) > 0
}

// find returns the row of this experiment, or nil.
func (r *Result) find(experiment, shape, variant string, rate float64, subs int) *Row {
	for _, row := range r.rows(experiment) {
		if row.Shape == shape && row.Variant == variant && (rate == 0 || row.Rate == rate) && (subs == 0 || row.Subs == subs) && len(row.Slots) > 0 {
			return row
		}
	}
	return nil
}

// best is the row of saturation in which a shape delivered most. What it didn't sustain counts only where any is set.
func (r *Result) best(shape string, any bool) *Row {
	var best *Row
	for _, row := range r.rows("saturation") {
		if row.Shape != shape || len(row.Slots) == 0 || !any && !row.sustained() {
			continue
		}
		if best == nil || row.of((*Slot).Delivered).Median > best.of((*Slot).Delivered).Median {
			best = row
		}
	}
	return best
}

func p50(s *Slot) float64 { return float64(s.P50) }
func p99(s *Slot) float64 { return float64(s.P99) }

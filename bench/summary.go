package main

import "slices"

// Spread is the median of some rounds with the smallest and the largest value.
type Spread struct {
	Median, Min, Max float64
	N                int
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

// Row is all rounds of one server under one load.
type Row struct {
	Experiment, Shape, Variant string
	Subs                       int
	Rate                       float64
	Measurements               []*Measurement
	Missing                    string
}

// rows returns the rows of an experiment, in the order of their first measurement.
func (r *Result) rows(experiment string) []*Row {
	type key struct {
		shape, variant string
		subs           int
		rate           float64
	}
	at := map[key]*Row{}
	var out []*Row
	for _, s := range r.Measurements {
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
		row.Measurements = append(row.Measurements, s)
	}
	return out
}

// of returns the spread of a figure over the rounds.
func (row *Row) of(f func(*Measurement) float64) Spread {
	var v []float64
	for _, s := range row.Measurements {
		v = append(v, f(s))
	}
	return spread(v)
}

// ratios returns the spread of a figure over that of another row in the same round of the same run.
func (row *Row) ratios(to *Row, f func(*Measurement) float64) Spread {
	var v []float64
	if to == nil {
		return Spread{}
	}
	for _, a := range row.Measurements {
		for _, b := range to.Measurements {
			if a.Run == b.Run && a.Round == b.Round && f(b) > 0 {
				v = append(v, f(a)/f(b))
			}
		}
	}
	return spread(v)
}

// complete reports whether no round missed a tick.
func (row *Row) complete() bool {
	for _, s := range row.Measurements {
		if s.Counts != nil && !s.Counts.Complete() {
			return false
		}
	}
	return len(row.Measurements) > 0
}

// sustained reports whether every round was.
func (row *Row) sustained() bool {
	for _, s := range row.Measurements {
		if !s.sustained() {
			return false
		}
	}
	return len(row.Measurements) > 0
}

// find returns a row of an experiment, nil if there is none. A rate or number of subscribers of 0 matches any.
func (r *Result) find(experiment, shape, variant string, rate float64, subs int) *Row {
	for _, row := range r.rows(experiment) {
		if row.Shape == shape && row.Variant == variant && (rate == 0 || row.Rate == rate) && (subs == 0 || row.Subs == subs) && len(row.Measurements) > 0 {
			return row
		}
	}
	return nil
}

// best returns the row of saturation in which a server delivered most, nil if there is none. Rows that weren't sustained
// count only if any is set.
func (r *Result) best(shape string, any bool) *Row {
	var best *Row
	for _, row := range r.rows("saturation") {
		if row.Shape != shape || len(row.Measurements) == 0 || !any && !row.sustained() {
			continue
		}
		if best == nil || row.of((*Measurement).Delivered).Median > best.of((*Measurement).Delivered).Median {
			best = row
		}
	}
	return best
}

func p50(s *Measurement) float64 { return float64(s.P50) }
func p99(s *Measurement) float64 { return float64(s.P99) }

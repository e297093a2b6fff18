package report

import "fmt"

// figure is a number of one variant that a threshold can bound: a metric, a count of the check, or a result of a drill.
type figure struct {
	key, name, unit string
	value           func(r *Report, variant int) (v float64, ok bool) // ok is false if it wasn't measured
	isCount         bool                                              // counted in all windows, invalid ones included
}

// figures returns those of reports of a kind.
func figures(kind string) []figure {
	switch kind {
	case Comparison:
		return comparisonFigures
	case DrillKind(DrillSlow):
		return slowFigures
	}
	return reconnectFigures
}

// FigureKeys returns the keys of the figures of reports of a kind.
func FigureKeys(kind string) []string {
	var keys []string
	for _, f := range figures(kind) {
		keys = append(keys, f.key)
	}
	return keys
}

func figureOf(kind, key string) (f figure, ok bool) {
	for _, f := range figures(kind) {
		if f.key == key {
			return f, true
		}
	}
	return figure{}, false
}

// checkCounts are the counts of a check, with their JSON names.
var checkCounts = []struct {
	key, name string
	value     func(Check) uint64
}{
	{"lost", "lost", func(c Check) uint64 { return c.Lost }},
	{"duplicates", "duplicates", func(c Check) uint64 { return c.Duplicates }},
	{"out_of_order", "out of order", func(c Check) uint64 { return c.OutOfOrder }},
	{"gaps", "gap messages", func(c Check) uint64 { return c.Gaps }},
	{"gap_ticks", "ticks in gaps", func(c Check) uint64 { return c.GapTicks }},
	{"resets", "resets", func(c Check) uint64 { return c.Resets }},
	{"wrong_ids", "wrong ids", func(c Check) uint64 { return c.WrongIDs }},
	{"ignored_positions", "ignored positions", func(c Check) uint64 { return c.Ignored }},
}

var comparisonFigures = func() (all []figure) {
	for _, m := range metrics {
		all = append(all, figure{key: m.key, name: m.name, unit: m.unit, value: func(r *Report, variant int) (float64, bool) {
			x := r.metric(m.key).of(variant)
			return x.Median, x.Count > 0
		}})
	}
	sum := func(key, name string, value func(*Window) uint64) {
		all = append(all, figure{key: key, name: name, isCount: true, value: func(r *Report, variant int) (float64, bool) {
			windows := r.windowsOf(variant)
			n := uint64(0)
			for _, w := range windows {
				n += value(w)
			}
			return float64(n), len(windows) > 0
		}})
	}
	for _, c := range checkCounts {
		sum(c.key, c.name, func(w *Window) uint64 { return c.value(w.Check) })
	}
	sum("late", "late ticks", func(w *Window) uint64 { return w.Late })
	sum("dropped", "dropped connections", func(w *Window) uint64 { return uint64(w.Dropped) })
	return all
}()

// drillCounts are the counts that all drills have.
var drillCounts = func() (all []figure) {
	for _, c := range checkCounts {
		all = append(all, drillCount(c.key, c.name, func(d *Drill) float64 { return float64(c.value(d.Check)) }))
	}
	return append(all, drillCount("late", "late ticks", func(d *Drill) float64 { return float64(d.Late) }))
}()

var reconnectFigures = func() (all []figure) {
	for _, s := range []struct {
		key, name string
		of        func(*Drill) *Recovery
	}{
		{"reconnect", "cut → hello", func(d *Drill) *Recovery { return d.Reconnect }},
		{"catch_up", "cut → caught up", func(d *Drill) *Recovery { return d.CatchUp }},
	} {
		for _, p := range []struct {
			key   string
			value func(*Recovery) float64
		}{
			{"p50", func(r *Recovery) float64 { return r.P50 }}, {"p90", func(r *Recovery) float64 { return r.P90 }},
			{"p99", func(r *Recovery) float64 { return r.P99 }}, {"max", func(r *Recovery) float64 { return r.Max }},
		} {
			all = append(all, drillFigure(s.key+"_"+p.key, s.name+", "+p.key, "ms", func(d *Drill) (float64, bool) {
				if s.of(d) == nil {
					return 0, false
				}
				return p.value(s.of(d)), true
			}))
		}
	}
	all = append(all,
		drillCount("cuts", "cuts", func(d *Drill) float64 { return float64(d.Cuts) }),
		drillCount("resumed", "resumed completely", func(d *Drill) float64 { return float64(d.Resumed) }),
		drillCount("resumed_with_gap", "resumed with a gap", func(d *Drill) float64 { return float64(d.WithGap) }),
		drillCount("cut_before_hello", "cut again before the hello", func(d *Drill) float64 { return float64(d.Early) }),
		drillCount("cut_before_position", "cut before the first position", func(d *Drill) float64 { return float64(d.Anew) }),
		drillCount("refused", "attempts refused", func(d *Drill) float64 { return float64(d.Refused) }))
	return append(all, drillCounts...)
}()

// slowFigures have the latency while some connections are stalled, of those that keep reading.
var slowFigures = func() (all []figure) {
	for _, m := range metrics {
		if !isLatency(m.key) {
			continue
		}
		all = append(all, drillFigure(m.key, m.name+" while some are stalled", m.unit, func(d *Drill) (float64, bool) {
			if len(d.Phases) < 2 || d.Phases[1].Latency.Count == 0 {
				return 0, false
			}
			return m.value(&Window{Latency: d.Phases[1].Latency})
		}))
	}
	return append(all, drillCounts...)
}()

func drillFigure(key, name, unit string, value func(*Drill) (float64, bool)) figure {
	return figure{key: key, name: name, unit: unit, value: func(r *Report, variant int) (float64, bool) {
		for _, d := range r.Drills {
			if index(d.Variant) == variant {
				return value(d)
			}
		}
		return 0, false
	}}
}

func drillCount(key, name string, value func(*Drill) float64) figure {
	f := drillFigure(key, name, "", func(d *Drill) (float64, bool) { return value(d), true })
	f.isCount = true
	return f
}

// windowsOf returns the windows of the variant at index k.
func (r *Report) windowsOf(k int) []*Window {
	var all []*Window
	for _, w := range r.Windows {
		if index(w.Variant) == k {
			all = append(all, w)
		}
	}
	return all
}

// measure returns a figure of the variant at index k, or why nothing can be concluded from it.
func (r *Report) measure(f figure, k int) (v float64, missing string) {
	v, ok := f.value(r, k)
	switch {
	case r.Variants[k].Failed != "":
		return 0, "the variant failed"
	case f.isCount && ok:
		return v, ""
	case r.Status == StatusBroken:
		return 0, "void, since ticks were lost, duplicated or out of order"
	case r.isDrill():
		return v, r.drillMissing(k, ok)
	}
	return v, r.windowMissing(f, k, ok)
}

func (r *Report) drillMissing(k int, ok bool) string {
	for _, d := range r.Drills {
		switch {
		case index(d.Variant) != k:
		case !d.Valid:
			return "the drill is invalid: " + d.Reasons[0]
		case !ok:
			return "nothing was measured"
		default:
			return ""
		}
	}
	return "nothing was measured"
}

func (r *Report) windowMissing(f figure, k int, ok bool) string {
	windows := r.windowsOf(k)
	valid, failed, reason, failure := 0, 0, "", ""
	for _, w := range windows {
		switch {
		case w.Valid:
			valid++
		case reason == "":
			reason = w.Reasons[0]
		}
		if len(w.ServerFailures) > 0 {
			if failed++; failure == "" {
				failure = w.ServerFailures[0]
			}
		}
	}
	switch {
	case len(windows) == 0:
		return "nothing was measured"
	case r.Status == StatusInvalid:
		return "the test is invalid"
	case failed > 0 && isLatency(f.key):
		return fmt.Sprintf("the server failed in %d of %d windows: %s", failed, len(windows), failure)
	case valid == 0:
		return "no window is valid: " + reason
	case ok:
		return ""
	case f.key == "wire_share":
		return "not compressed"
	case f.key == "kib_per_connection":
		return "the server has memory of earlier streams; restart it, or omit --url for a fresh one"
	}
	return "nothing was measured"
}

package report

import (
	"slices"

	"ticklane/internal/loadtest/stats"
)

// Metric is one figure over all valid windows.
type Metric struct {
	Key        string         `json:"key"`
	Name       string         `json:"name"`
	Unit       string         `json:"unit"`
	A          stats.Range    `json:"a"`
	B          stats.Range    `json:"b"`
	Variants   []stats.Range  `json:"variants,omitempty"` // if more than two: of each, A and B included
	Difference stats.Interval `json:"difference"`         // A − B
	Noise      stats.Range    `json:"noise"`              // |difference| of neighbouring windows of one variant
	Verdict    stats.Verdict  `json:"verdict"`
}

// metric defines how a figure is taken from a window. ok is false if it wasn't measured.
type metric struct {
	key, name, unit string
	value           func(*Window) (v float64, ok bool)
}

func always(f func(*Window) float64) func(*Window) (float64, bool) {
	return func(w *Window) (float64, bool) { return f(w), true }
}

var metrics = []metric{
	{"latency_p50", "latency p50", "ms", always(func(w *Window) float64 { return ms(w.Latency.P50) })},
	{"latency_p90", "latency p90", "ms", always(func(w *Window) float64 { return ms(w.Latency.P90) })},
	{"latency_p99", "latency p99", "ms", always(func(w *Window) float64 { return ms(w.Latency.P99) })},
	{"latency_p999", "latency p99.9", "ms", always(func(w *Window) float64 { return ms(w.Latency.P999) })},
	{"latency_max", "latency max", "ms", always(func(w *Window) float64 { return ms(w.Latency.Max) })},
	{"cpu_per_million", "server CPU / 1M ticks", "s", always(func(w *Window) float64 { return w.Server.CPUPerMillion })},
	{"kib_per_connection", "memory / connection", "KiB", func(w *Window) (float64, bool) {
		if w.Server.KiBPerConn == nil {
			return 0, false
		}
		return *w.Server.KiBPerConn, true
	}},
	{"wire_per_tick", "wire bytes / tick", "B", always(func(w *Window) float64 { return w.Server.WirePerTick })},
	{"wire_share", "bytes vs uncompressed", "%", func(w *Window) (float64, bool) {
		plain := float64(w.Generator.Bytes) + float64(w.Generator.Saved)
		return 100 * float64(w.Generator.Bytes) / plain, w.Generator.Saved != 0 && plain > 0
	}},
	{"payload_per_tick", "payload / tick", "B", always(func(w *Window) float64 { return w.Server.PayloadPerTick })},
	{"writes_per_tick", "writes / tick", "", always(func(w *Window) float64 { return w.Server.WritesPerTick })},
	{"ticks_per_second", "ticks/s delivered", "", always(func(w *Window) float64 { return w.PerSecond })},
}

// summarize returns every figure over the valid windows, which must be in the order of measuring. wire_share is left out
// if no variant is compressed.
func summarize(windows []*Window, variants int) []Metric {
	var all []Metric
	for _, m := range metrics {
		x := m.summarize(windows, variants)
		if m.key == "wire_share" && !x.measured() {
			continue
		}
		all = append(all, x)
	}
	return all
}

func (m metric) series(windows []*Window, variants int) stats.Series {
	samples := make([]stats.Sample, len(windows))
	for k, w := range windows {
		v, ok := m.value(w)
		samples[k] = stats.Sample{Variant: index(w.Variant), Round: w.Round, Value: v, Valid: ok && w.Valid}
	}
	return stats.NewSeries(samples, max(2, variants))
}

func (m metric) summarize(windows []*Window, variants int) Metric {
	s := m.series(windows, variants)
	x := Metric{Key: m.key, Name: m.name, Unit: m.unit, A: s.Range(0), B: s.Range(1), Difference: s.Difference(0, 1), Noise: s.Noise()}
	if variants > 2 {
		for k := range variants {
			x.Variants = append(x.Variants, s.Range(k))
		}
	}
	x.Verdict = stats.Judge(x.Difference, x.Noise)
	return x
}

// measured reports whether any variant has the figure.
func (m Metric) measured() bool {
	return m.A.Count+m.B.Count > 0 || slices.ContainsFunc(m.Variants, func(r stats.Range) bool { return r.Count > 0 })
}

// of returns the range of the variant at index k.
func (m Metric) of(k int) stats.Range {
	switch {
	case k < len(m.Variants):
		return m.Variants[k]
	case k == 0:
		return m.A
	case k == 1:
		return m.B
	}
	return stats.Range{}
}

// digits returns how many decimals the figures of a metric need: those of its smallest one.
func (m Metric) digits() int {
	d := decimals(m.A.Median)
	if m.B.Count > 0 {
		d = max(d, decimals(m.B.Median))
	}
	for _, r := range m.Variants {
		if r.Count > 0 {
			d = max(d, decimals(r.Median))
		}
	}
	return d
}

// label returns the name with the unit.
func (m Metric) label() string {
	if m.Unit == "" {
		return m.Name
	}
	return m.Name + ", " + m.Unit
}

package loadtest

import (
	"slices"
	"time"
)

// Schema names the form of a report's JSON: docs/reports/README.md describes it.
const Schema = "ticklane.load/1"

// What a test came to.
const (
	StatusComplete    = "complete"
	StatusInterrupted = "interrupted" // by the user: what was measured until then
	StatusInvalid     = "invalid"     // too few valid rounds to say anything
	StatusBroken      = "broken"      // ticks were lost, doubled or out of order
)

// Report is everything that a test found, and what is needed to repeat it.
type Report struct {
	Schema   string     `json:"schema"`
	Kind     string     `json:"kind"` // "comparison", or the drill's name
	Status   string     `json:"status"`
	Started  time.Time  `json:"started"`
	Ended    time.Time  `json:"ended"`
	Command  string     `json:"command"` // repeats it
	Headline string     `json:"headline"`
	Findings []string   `json:"findings,omitempty"`
	Machine  Machine    `json:"machine"`
	Target   Target     `json:"target"`
	Setup    Setup      `json:"setup"`
	Sides    []SideInfo `json:"sides"`
	Slots    []*Slot    `json:"slots,omitempty"`
	Metrics  []Metric   `json:"metrics,omitempty"`
	// Contrasts are of more than two sides: those pairs that differ in one thing.
	Contrasts []Contrast `json:"contrasts,omitempty"`
	Drills    []*Drill   `json:"drills,omitempty"` // one for each side
}

// Target is the server as its client saw it.
type Target struct {
	URL       string   `json:"url"`
	Own       bool     `json:"own"`                // a fresh server for each slot, started by this test
	Settings  []string `json:"settings,omitempty"` // of an own server: its arguments
	Loopback  bool     `json:"loopback"`
	Version   string   `json:"version"`
	Symbols   int      `json:"symbols"`
	Feed      string   `json:"feed"`
	Seed      int64    `json:"seed"`
	Heartbeat int64    `json:"heartbeat_ms"`
	LogSize   uint64   `json:"log_ticks"` // in the log at the end
	Clock     Clock    `json:"clock"`
}

// Setup is what was asked for.
type Setup struct {
	Conns       int     `json:"conns"`
	Topics      string  `json:"topics"`
	Mode        string  `json:"mode"`
	Encoding    string  `json:"encoding"` // of all sides, or "mixed"
	Compress    string  `json:"compress"` // the same: "off", "on" or "mixed"
	Rounds      int     `json:"rounds"`
	Duration    float64 `json:"duration_s"`
	Warmup      float64 `json:"warmup_s"`
	Ramp        float64 `json:"ramp_s"`
	SlowReaders int     `json:"slow_readers"`
	Churn       float64 `json:"churn_per_s"`
	Seed        uint64  `json:"seed"`
	Cuts        int     `json:"cuts,omitempty"`
}

// SideInfo describes one side. Reports of earlier versions have no encoding (json) and no compression (none).
type SideInfo struct {
	Side        string   `json:"side"` // "A", "B", …
	Name        string   `json:"name"`
	Lane        string   `json:"lane"`
	Engine      string   `json:"engine"` // the one that answered
	Encoding    string   `json:"encoding"`
	Compression string   `json:"compression"`        // "none", "gzip" or "permessage-deflate"
	Path        string   `json:"path"`               // of the subscribe request
	Settings    []string `json:"settings,omitempty"` // of an own server, beside the target's
}

// Metric is one figure over all valid rounds.
type Metric struct {
	Key        string   `json:"key"`
	Name       string   `json:"name"`
	Unit       string   `json:"unit"`
	A          Range    `json:"a"`
	B          Range    `json:"b"`
	Sides      []Range  `json:"sides,omitempty"` // with more than two, each one's: A and B among them
	Difference Interval `json:"difference"`      // A − B
	Noise      Range    `json:"noise"`           // |difference| of neighbouring slots of the same side
	Verdict    Verdict  `json:"verdict"`
}

// metric tells how a figure is taken from a slot; ok is false where it wasn't measured.
type metric struct {
	key, name, unit string
	of              func(*Slot) (v float64, ok bool)
}

func ms(us int64) float64 { return float64(us) / 1000 }

func always(f func(*Slot) float64) func(*Slot) (float64, bool) {
	return func(s *Slot) (float64, bool) { return f(s), true }
}

var metrics = []metric{
	{"latency_p50", "latency p50", "ms", always(func(s *Slot) float64 { return ms(s.Latency.P50) })},
	{"latency_p90", "latency p90", "ms", always(func(s *Slot) float64 { return ms(s.Latency.P90) })},
	{"latency_p99", "latency p99", "ms", always(func(s *Slot) float64 { return ms(s.Latency.P99) })},
	{"latency_p999", "latency p99.9", "ms", always(func(s *Slot) float64 { return ms(s.Latency.P999) })},
	{"latency_max", "latency max", "ms", always(func(s *Slot) float64 { return ms(s.Latency.Max) })},
	{"cpu_per_million", "server CPU / 1M ticks", "s", always(func(s *Slot) float64 { return s.Server.CPUPerMillion })},
	{"kib_per_connection", "memory / connection", "KiB", func(s *Slot) (float64, bool) {
		if s.Server.KiBPerConn == nil {
			return 0, false
		}
		return *s.Server.KiBPerConn, true
	}},
	{"wire_per_tick", "wire bytes / tick", "B", always(func(s *Slot) float64 { return s.Server.WirePerTick })},
	{"wire_share", "bytes against plain", "%", func(s *Slot) (float64, bool) {
		plain := float64(s.Generator.Bytes) + float64(s.Generator.Saved)
		return 100 * float64(s.Generator.Bytes) / plain, s.packed && plain > 0
	}},
	{"payload_per_tick", "payload / tick", "B", always(func(s *Slot) float64 { return s.Server.PayloadPerTick })},
	{"writes_per_tick", "writes / tick", "", always(func(s *Slot) float64 { return s.Server.WritesPerTick })},
	{"ticks_per_second", "ticks/s delivered", "", always(func(s *Slot) float64 { return s.PerSecond })},
}

// summarise takes every figure over the valid slots, in the order in which they were measured. A figure that only some
// kinds of sides have is left out where none has it.
func summarise(slots []*Slot, sides int) []Metric {
	var all []Metric
	for _, m := range metrics {
		sum := m.summarise(slots, sides)
		if m.key == "wire_share" && !sum.measured() {
			continue
		}
		all = append(all, sum)
	}
	return all
}

// series is one figure's values: of each side, of each round by side, and the differences of neighbours of one side.
type series struct {
	sides  [][]float64
	rounds []map[int]float64
	noise  []float64
}

func (m metric) collect(slots []*Slot, sides int) series {
	x := series{sides: make([][]float64, max(2, sides))}
	at := make(map[int]int) // of a round in x.rounds
	last, lastSide := 0.0, -1
	for _, s := range slots {
		v, ok := m.of(s)
		if !s.Valid || !ok {
			lastSide = -1
			continue
		}
		k := int(s.Side[0] - 'A')
		x.sides[k] = append(x.sides[k], v)
		if _, seen := at[s.Round]; !seen {
			at[s.Round] = len(x.rounds)
			x.rounds = append(x.rounds, make(map[int]float64))
		}
		x.rounds[at[s.Round]][k] = v
		if lastSide == k {
			x.noise = append(x.noise, max(v-last, last-v))
		}
		last, lastSide = v, k
	}
	return x
}

// difference is that of two sides, over the rounds in which both are valid.
func (x series) difference(a, b int) Interval {
	var all []float64
	for _, r := range x.rounds {
		va, hasA := r[a]
		vb, hasB := r[b]
		if hasA && hasB {
			all = append(all, va-vb)
		}
	}
	return pairedInterval(all)
}

func (m metric) summarise(slots []*Slot, sides int) Metric {
	x := m.collect(slots, sides)
	out := Metric{Key: m.key, Name: m.name, Unit: m.unit, A: rangeOf(x.sides[0]), B: rangeOf(x.sides[1]),
		Difference: x.difference(0, 1), Noise: rangeOf(x.noise)}
	if sides > 2 {
		for _, values := range x.sides {
			out.Sides = append(out.Sides, rangeOf(values))
		}
	}
	out.Verdict = judge(out.Difference, out.Noise)
	return out
}

// measured tells whether any side has the figure.
func (m Metric) measured() bool {
	return m.A.Count+m.B.Count > 0 || slices.ContainsFunc(m.Sides, func(r Range) bool { return r.Count > 0 })
}

// of is the range of a side.
func (m Metric) of(side int) Range {
	switch {
	case side < len(m.Sides):
		return m.Sides[side]
	case side == 0:
		return m.A
	case side == 1:
		return m.B
	}
	return Range{}
}

// validRounds counts the rounds in which every side's slot is valid.
func validRounds(slots []*Slot, sides int) int {
	valid := make(map[int]int)
	n := 0
	for _, s := range slots {
		if s.Valid {
			if valid[s.Round]++; valid[s.Round] == sides {
				n++
			}
		}
	}
	return n
}

// metric returns the figure of a key; the zero Metric when there is none.
func (r *Report) metric(key string) Metric {
	for _, m := range r.Metrics {
		if m.Key == key {
			return m
		}
	}
	return Metric{}
}

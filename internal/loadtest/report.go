package loadtest

import (
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
	Drills   []*Drill   `json:"drills,omitempty"` // one for each side
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
	Encoding    string  `json:"encoding"`
	Compress    string  `json:"compress"`
	Rounds      int     `json:"rounds"`
	Duration    float64 `json:"duration_s"`
	Warmup      float64 `json:"warmup_s"`
	Ramp        float64 `json:"ramp_s"`
	SlowReaders int     `json:"slow_readers"`
	Churn       float64 `json:"churn_per_s"`
	Seed        uint64  `json:"seed"`
	Cuts        int     `json:"cuts,omitempty"`
}

// SideInfo describes A or B.
type SideInfo struct {
	Side   string `json:"side"` // "A" or "B"
	Name   string `json:"name"`
	Lane   string `json:"lane"`
	Engine string `json:"engine"` // the one that answered
	Path   string `json:"path"`   // of the subscribe request
}

// Metric is one figure over all valid rounds.
type Metric struct {
	Key        string   `json:"key"`
	Name       string   `json:"name"`
	Unit       string   `json:"unit"`
	A          Range    `json:"a"`
	B          Range    `json:"b"`
	Difference Interval `json:"difference"` // A − B
	Noise      Range    `json:"noise"`      // |difference| of neighbouring slots of the same side
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
	{"payload_per_tick", "payload / tick", "B", always(func(s *Slot) float64 { return s.Server.PayloadPerTick })},
	{"writes_per_tick", "writes / tick", "", always(func(s *Slot) float64 { return s.Server.WritesPerTick })},
	{"ticks_per_second", "ticks/s delivered", "", always(func(s *Slot) float64 { return s.PerSecond })},
}

// summarise takes every figure over the valid slots, in the order in which they were measured.
func summarise(slots []*Slot) []Metric {
	var all []Metric
	for _, m := range metrics {
		all = append(all, m.summarise(slots))
	}
	return all
}

func (m metric) summarise(slots []*Slot) Metric {
	var sides [2][]float64
	rounds := make(map[int][2]*float64)
	var order []int
	var noise []float64
	var last *float64
	lastSide := ""
	for _, s := range slots {
		v, ok := m.of(s)
		if !s.Valid || !ok {
			last = nil
			continue
		}
		k := int(s.Side[0] - 'A')
		sides[k] = append(sides[k], v)
		pair, seen := rounds[s.Round]
		if !seen {
			order = append(order, s.Round)
		}
		pair[k] = &v
		rounds[s.Round] = pair
		if last != nil && lastSide == s.Side {
			noise = append(noise, max(v-*last, *last-v))
		}
		last, lastSide = &v, s.Side
	}
	var differences []float64
	for _, r := range order {
		if p := rounds[r]; p[0] != nil && p[1] != nil {
			differences = append(differences, *p[0]-*p[1])
		}
	}
	out := Metric{Key: m.key, Name: m.name, Unit: m.unit, A: rangeOf(sides[0]), B: rangeOf(sides[1]),
		Difference: pairedInterval(differences), Noise: rangeOf(noise)}
	out.Verdict = judge(out.Difference, out.Noise)
	return out
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

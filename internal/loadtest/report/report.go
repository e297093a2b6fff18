package report

import (
	"slices"
	"strings"
	"time"
)

// Schema names the form of the JSON, which docs/reports/README.md describes.
const Schema = "ticklane.load/2"

// Results of a test.
const (
	StatusComplete    = "complete"
	StatusIncomplete  = "incomplete"  // a variant could not be measured; the others are
	StatusInterrupted = "interrupted" // by the user: what was measured until then
	StatusInvalid     = "invalid"     // too few valid rounds to conclude anything
	StatusBroken      = "broken"      // ticks were lost, duplicated or out of order
)

// Comparison is the Kind of a report that isn't a drill's.
const Comparison = "comparison"

// drillPrefix starts the Kind of a drill's report.
const drillPrefix = "drill "

// DrillKind returns the Kind of a drill's report.
func DrillKind(drill string) string { return drillPrefix + drill }

// Report is everything that a test measured, and what is needed to repeat it.
type Report struct {
	Schema   string     `json:"schema"`
	Kind     string     `json:"kind"`
	Status   string     `json:"status"`
	Started  time.Time  `json:"started"`
	Ended    time.Time  `json:"ended"`
	Command  string     `json:"command"` // repeats the test
	Headline string     `json:"headline"`
	Findings []string   `json:"findings,omitempty"`
	Machine  Machine    `json:"machine"`
	Target   Target     `json:"target"`
	Setup    Setup      `json:"setup"`
	Variants []Variant  `json:"variants"`
	Windows  []*Window  `json:"windows,omitempty"`
	Metrics  []Metric   `json:"metrics,omitempty"`
	Pairwise []Pairwise `json:"pairwise,omitempty"` // if more than two variants: the pairs that differ in one thing
	Drills   []*Drill   `json:"drills,omitempty"`   // one for each variant
	// Thresholds bound figures; one that is broken makes the test fail.
	Thresholds []Threshold `json:"thresholds,omitempty"`
	Baseline   *Baseline   `json:"baseline,omitempty"` // what changed since an earlier report

	earlier     *Report // the baseline
	earlierFile string
}

// Machine is where the generator ran, and on loopback the server too.
type Machine struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory uint64 `json:"memory_bytes"` // 0 if unknown
	Go     string `json:"go"`
}

// Target is the server as its clients saw it.
type Target struct {
	URL       string   `json:"url"`
	Own       bool     `json:"own"`                // the test started a fresh server for each window
	Settings  []string `json:"settings,omitempty"` // of own servers: their arguments
	Loopback  bool     `json:"loopback"`
	Version   string   `json:"version"`
	Symbols   int      `json:"symbols"`
	Feed      string   `json:"feed"`
	Seed      int64    `json:"seed"`
	Heartbeat int64    `json:"heartbeat_ms"`
	LogSize   uint64   `json:"log_ticks"` // in the log at the end
	Clock     Clock    `json:"clock"`
}

// Clock is how the server's clock differs from the generator's. On one machine both are the same.
type Clock struct {
	Offset int64 `json:"offset_us"` // server − generator
	Error  int64 `json:"error_us"`  // half the round trip of the best exchange, which bounds the error of the offset
	Used   bool  `json:"used"`      // false: the same machine, nothing was exchanged
}

// Setup is what was asked for.
type Setup struct {
	Conns       int     `json:"conns"`
	Topics      string  `json:"topics"`
	Mode        string  `json:"mode"`
	Encoding    string  `json:"encoding"` // of all variants, or "mixed"
	Compress    string  `json:"compress"` // of all variants: "off", "on" or "mixed"
	Rounds      int     `json:"rounds"`
	Duration    float64 `json:"duration_s"`
	Warmup      float64 `json:"warmup_s"`
	Ramp        float64 `json:"ramp_s"`
	SlowReaders int     `json:"slow_readers"`
	Churn       float64 `json:"churn_per_s"`
	Seed        uint64  `json:"seed"`
	Cuts        int     `json:"cuts,omitempty"`
	Addresses   int     `json:"local_addresses,omitempty"` // of the connections, if one has too few ports
}

func isLatency(key string) bool { return strings.HasPrefix(key, "latency_") }

// lossy reports whether the protocol was violated in any window.
func (r *Report) lossy() bool {
	return slices.ContainsFunc(r.Windows, func(w *Window) bool { return w.Check.Broken() })
}

// ValidRounds returns the number of rounds in which the windows of all variants are valid. Variants that failed don't count,
// unless all have failed.
func (r *Report) ValidRounds() int {
	windows, variants := r.Windows, len(r.Variants)
	if failed := r.failedVariants(); len(failed) < variants {
		variants -= len(failed)
		windows = slices.DeleteFunc(slices.Clone(windows), func(w *Window) bool { return r.Variants[index(w.Variant)].Failed != "" })
	}
	return validRounds(windows, variants)
}

// Rounds returns the number of rounds that have a window.
func (r *Report) Rounds() int {
	rounds := make(map[int]bool)
	for _, w := range r.Windows {
		rounds[w.Round] = true
	}
	return len(rounds)
}

// FirstReason returns why the first invalid drill or window is invalid, empty if none is.
func (r *Report) FirstReason() string {
	for _, d := range r.Drills {
		if !d.Valid {
			return strings.Join(d.Reasons, "; ")
		}
	}
	for _, w := range r.Windows {
		if !w.Valid {
			return strings.Join(w.Reasons, "; ")
		}
	}
	return ""
}

func (r *Report) isDrill() bool { return strings.HasPrefix(r.Kind, drillPrefix) }

// drill returns the name of the drill, empty for a comparison.
func (r *Report) drill() string {
	name, _ := strings.CutPrefix(r.Kind, drillPrefix)
	if !r.isDrill() {
		return ""
	}
	return name
}

// metric returns the figure with a key, the zero Metric if there is none.
func (r *Report) metric(key string) Metric {
	for _, m := range r.Metrics {
		if m.Key == key {
			return m
		}
	}
	return Metric{}
}

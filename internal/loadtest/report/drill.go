package report

import (
	"slices"
	"time"

	"ticklane/internal/loadtest/stats"
)

// Drills.
const (
	DrillResume = "resume"
	DrillStorm  = "storm"
	DrillSlow   = "slow"
)

// Drill is the result of a drill for one variant.
type Drill struct {
	Name        string    `json:"name"` // of the variant
	Variant     string    `json:"variant"`
	Valid       bool      `json:"valid"`
	Reasons     []string  `json:"reasons,omitempty"`
	Connections int       `json:"connections"`
	Seconds     float64   `json:"seconds"`
	Cuts        int       `json:"cuts"`
	Ended       int       `json:"ended"`               // of the cuts, those by the server or the network
	Resumed     int       `json:"resumed"`             // reconnected with everything since the cut
	WithGap     int       `json:"resumed_with_gap"`    // reconnected with a gap message
	Early       int       `json:"cut_before_hello"`    // cut again before the hello: nothing was resumed yet
	Anew        int       `json:"cut_before_position"` // reconnected without a position: cut before the client had one
	Refused     int       `json:"refused"`             // attempts that the server refused
	Ticks       uint64    `json:"ticks"`               // received, duplicates included
	Replayed    uint64    `json:"replayed"`            // of them, due before the reconnect
	Late        uint64    `json:"late"`                // ticks that had not arrived some seconds after the end
	Check       Check     `json:"check"`
	Reconnect   *Recovery `json:"reconnect,omitempty"` // from the cut to the hello
	CatchUp     *Recovery `json:"catch_up,omitempty"`  // from the cut until nothing is missing
	Phases      []Phase   `json:"phases,omitempty"`    // of drill slow
	Stalled     *Stalled  `json:"stalled,omitempty"`   // of drill slow
	Generator   Generator `json:"generator"`
}

// Recovery is a distribution of times, in ms.
type Recovery struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
	Curve []Point `json:"curve"` // at most 200 points
}

// Point is the number of connections that had recovered within Ms milliseconds.
type Point struct {
	Ms    float64 `json:"ms"`
	Count int     `json:"count"`
}

// maxCurve bounds the points of a curve.
const maxCurve = 200

// RecoveryOf returns the distribution of times, nil if there are none.
func RecoveryOf(times []time.Duration) *Recovery {
	if len(times) == 0 {
		return nil
	}
	t := slices.Sorted(slices.Values(times))
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	nearestRank := func(p float64) float64 {
		return ms(t[min(len(t)-1, max(0, int(p*float64(len(t))+0.999999)-1))])
	}
	r := &Recovery{Count: len(t), P50: nearestRank(.5), P90: nearestRank(.9), P99: nearestRank(.99), Max: nearestRank(1)}
	step := max(1, (len(t)+maxCurve-1)/maxCurve)
	for k := step - 1; k < len(t); k += step {
		r.Curve = append(r.Curve, Point{ms(t[k]), k + 1})
	}
	if last := len(r.Curve) - 1; r.Curve[last].Count != len(t) {
		r.Curve[last] = Point{r.Max, len(t)}
	}
	return r
}

// Phase is a measured interval of drill slow, of the connections that keep reading.
type Phase struct {
	Name      string        `json:"name"` // one of Phases
	Ticks     uint64        `json:"ticks"`
	PerSecond float64       `json:"ticks_per_second"`
	Latency   stats.Latency `json:"latency"`
	Server    Server        `json:"server"`
	Generator Generator     `json:"generator"`
}

// Phases are the names of drill slow's phases: before, while and after some connections are stalled.
var Phases = []string{"before", "stalled", "after"}

// Stalled are the connections that stop reading in drill slow.
type Stalled struct {
	Connections int    `json:"connections"`
	Dropped     uint64 `json:"dropped"`        // ended by the server
	Check       Check  `json:"check"`          // gaps are within the protocol, everything else isn't
	ServerSlow  uint64 `json:"server_slow"`    // slow clients by the server's own count
	Ticks       uint64 `json:"ticks_received"` // since the start of the drill
}

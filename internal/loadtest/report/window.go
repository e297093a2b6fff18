package report

import (
	"fmt"
	"regexp"
	"time"

	"ticklane/internal/loadtest/stats"
)

// Window is one measured interval of one variant. Figures that could not be measured are null.
type Window struct {
	Round          int           `json:"round"`
	Variant        string        `json:"variant"` // its letter
	Started        time.Time     `json:"started"`
	Seconds        float64       `json:"seconds"`
	Valid          bool          `json:"valid"`
	Reasons        []string      `json:"reasons,omitempty"`         // why it is invalid
	ServerFailures []string      `json:"server_failures,omitempty"` // of the reasons, those that are the server's fault
	Connections    int           `json:"connections"`
	Ticks          uint64        `json:"ticks"` // received by the measured connections
	PerSecond      float64       `json:"ticks_per_second"`
	Messages       uint64        `json:"messages"`
	Reads          uint64        `json:"reads"`
	Churned        uint64        `json:"churned"` // connections that left and resumed
	Check          Check         `json:"check"`
	Late           uint64        `json:"late"`    // ticks that had not arrived some seconds after the window
	Dropped        int           `json:"dropped"` // connections that the server ended
	SlowReaders    *SlowReaders  `json:"slow_readers,omitempty"`
	Latency        stats.Latency `json:"latency"`
	Server         Server        `json:"server"`
	Generator      Generator     `json:"generator"`
}

// Check are the deviations of what connections received from what they should have received.
type Check struct {
	Lost       uint64 `json:"lost"`              // never arrived, without a gap message
	Duplicates uint64 `json:"duplicates"`        // arrived again
	OutOfOrder uint64 `json:"out_of_order"`      // arrived after a later one
	Gaps       uint64 `json:"gaps"`              // gap messages
	GapTicks   uint64 `json:"gap_ticks"`         // ticks that gap messages reported as lost
	Resets     uint64 `json:"resets"`            // resumes answered with another log
	WrongIDs   uint64 `json:"wrong_ids"`         // SSE events whose id isn't the position to resume from
	Ignored    uint64 `json:"ignored_positions"` // resumes answered as if no position had been sent
}

// Broken reports whether the protocol was violated. A loss that a gap message reported is no violation.
func (c Check) Broken() bool {
	return c.Lost > 0 || c.Duplicates > 0 || c.OutOfOrder > 0 || c.WrongIDs > 0 || c.Ignored > 0
}

// Violations describes how the protocol was violated.
func (c Check) Violations() string {
	s := fmt.Sprintf("%d ticks lost, %d duplicates, %d out of order, %d with a wrong id", c.Lost, c.Duplicates, c.OutOfOrder, c.WrongIDs)
	if c.Ignored > 0 {
		s += fmt.Sprintf(", %d positions ignored on reconnecting", c.Ignored)
	}
	return s
}

// SlowReaders are the connections that read slowly on purpose.
type SlowReaders struct {
	Connections int    `json:"connections"`
	Gaps        uint64 `json:"gaps"`
	Dropped     uint64 `json:"dropped"`
	Check       Check  `json:"check"`
}

// Server is what the server used, by its own /api/stats.
type Server struct {
	CPUSeconds     float64  `json:"cpu_seconds"`
	CPUPerMillion  float64  `json:"cpu_seconds_per_million_ticks"`
	RSSIdle        uint64   `json:"rss_idle_bytes"`
	RSSConnected   uint64   `json:"rss_connected_bytes"`
	KiBPerConn     *float64 `json:"kib_per_connection"` // null if the server has memory of earlier streams
	WirePerTick    float64  `json:"wire_bytes_per_tick"`
	PayloadPerTick float64  `json:"payload_bytes_per_tick"`
	WritesPerTick  float64  `json:"writes_per_tick"`
}

// Generator is what the load generator itself used.
type Generator struct {
	CPUSeconds  float64 `json:"cpu_seconds"`
	CPUShare    float64 `json:"cpu_share"` // of all processors of this machine
	Lateness50  int64   `json:"lateness_p50_us"`
	Lateness99  int64   `json:"lateness_p99_us"`
	LatenessMax int64   `json:"lateness_max_us"`
	Bytes       uint64  `json:"bytes"`                 // received by the measured connections
	Saved       int64   `json:"saved_bytes,omitempty"` // by compression
}

// validRounds returns the number of rounds in which the windows of all variants are valid.
func validRounds(windows []*Window, variants int) int {
	valid := make(map[int]int)
	n := 0
	for _, w := range windows {
		if w.Valid {
			if valid[w.Round]++; valid[w.Round] == variants {
				n++
			}
		}
	}
	return n
}

var digits = regexp.MustCompile(`[0-9][0-9.,]*`)

// ReasonKey returns what is equal for reasons that differ only in their numbers.
func ReasonKey(reason string) string { return digits.ReplaceAllString(reason, "0") }

// Letter returns the letter of the variant at index k: A, B, ….
func Letter(k int) string { return string(rune('A' + k)) }

// index returns the index of the variant with a letter.
func index(letter string) int { return int(letter[0] - 'A') }

func ms(us int64) float64 { return float64(us) / 1000 }

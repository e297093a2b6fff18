package generator

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Counts are what arrived in one window.
type Counts struct {
	Ticks    int64          `json:"ticks"`
	Bytes    int64          `json:"bytes"` // read from the sockets: framing included, compressed ones as they arrived
	Reads    int64          `json:"reads"`
	Lost     int64          `json:"lost"`     // seqs that never arrived
	Repeated int64          `json:"repeated"` // seqs that arrived again, or late
	Closed   int64          `json:"closed"`   // connections that the server closed
	Broken   map[string]int `json:"broken,omitempty"`
	Behind   uint64         `json:"behind"` // of the connection that is furthest behind, in ticks, at the end
	Silent   int            `json:"silent"` // connections that have never received a tick
	Stuck    int            `json:"stuck"`  // open ones that received none in the window, though others did

	Latency *hdrhistogram.Histogram `json:"-"` // received − due, µs
}

func newCounts() *Counts {
	return &Counts{Broken: map[string]int{}, Latency: hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3)}
}

// Complete reports whether ticks arrived, and each connection received every one of them once.
func (c *Counts) Complete() bool {
	return c.Ticks > 0 && c.Lost == 0 && c.Repeated == 0 && c.Closed == 0 && len(c.Broken) == 0 && c.Silent == 0 && c.Stuck == 0
}

// Quantile returns a latency in µs.
func (c *Counts) Quantile(q float64) int64 { return c.Latency.ValueAtQuantile(q * 100) }

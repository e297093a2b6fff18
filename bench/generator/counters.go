package generator

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Counts are what one window saw.
type Counts struct {
	Ticks    int64          `json:"ticks"`
	Bytes    int64          `json:"bytes"` // read from the sockets: framing and compression are in it
	Reads    int64          `json:"reads"`
	Lost     int64          `json:"lost"`     // seqs that never came
	Repeated int64          `json:"repeated"` // seqs that came again, or late
	Closed   int64          `json:"closed"`   // connections that the server closed
	Broken   map[string]int `json:"broken,omitempty"`
	Behind   uint64         `json:"behind"` // of the connection that is furthest behind, in ticks, at the end
	Silent   int            `json:"silent"` // connections that got no tick at all since they were opened
	Stuck    int            `json:"stuck"`  // open ones that got none in the window, though others did

	Latency *hdrhistogram.Histogram `json:"-"` // receive − due, µs
}

func newCounts() *Counts {
	return &Counts{Broken: map[string]int{}, Latency: hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3)}
}

// Whole says that ticks came, and every connection got each exactly once.
func (c *Counts) Whole() bool {
	return c.Ticks > 0 && c.Lost == 0 && c.Repeated == 0 && c.Closed == 0 && len(c.Broken) == 0 && c.Silent == 0 && c.Stuck == 0
}

// Quantile returns a latency in µs.
func (c *Counts) Quantile(q float64) int64 { return c.Latency.ValueAtQuantile(q * 100) }

// tick accounts for one tick of this connection.
func (c *conn) tick(seq uint64, due int64) {
	n := c.g.counts
	n.Ticks++
	switch {
	case seq == c.next || c.next == 0:
		c.next = seq + 1
	case seq > c.next:
		n.Lost += int64(seq - c.next)
		c.next = seq + 1
	default:
		n.Repeated++
	}
	// A tick can't come before it was due but for clocks that step.
	_ = n.Latency.RecordValue(min(max(c.g.now-due, 1), n.Latency.HighestTrackableValue()))
}

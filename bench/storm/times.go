package storm

import (
	"math"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Until returns the time after which a share of n clients had whole state, from the times of those that have it. It is 0
// if fewer have it.
func Until(times []float64, n int, share float64) (ms float64) {
	slices.Sort(times)
	k := int(math.Ceil(share*float64(n))) - 1
	if k < 0 || k >= len(times) {
		return 0
	}
	return times[k]
}

// Together returns the outcome of several fleets that record latency, without the times of their clients.
func Together(fleets []*Fleet) (Outcome, error) {
	all := Outcome{Counts: NewCounts()}
	h := newHistogram()
	for _, f := range fleets {
		o, err := f.Outcome()
		if err != nil {
			return all, err
		}
		all.Clients, all.Whole = all.Clients+o.Clients, all.Whole+o.Whole
		all.Counts.Add(o.Counts)
		all.Losses.Add(o.Losses)
		f.mu.Lock()
		h.Merge(f.latency)
		f.mu.Unlock()
	}
	all.setLatency(h)
	return all, nil
}

func (o *Outcome) setLatency(h *hdrhistogram.Histogram) {
	o.P50, o.P99, o.Max = float64(h.ValueAtQuantile(50))/1e3, float64(h.ValueAtQuantile(99))/1e3, float64(h.Max())/1e3
	o.Ticks = h.TotalCount()
}

// NewCounts returns counts of nothing.
func NewCounts() Counts { return Counts{Refused: map[string]int64{}, Resumes: map[string]int64{}} }

// Add adds the counts of another fleet.
func (c *Counts) Add(o Counts) {
	c.Attempts += o.Attempts
	c.Unreachable += o.Unreachable
	c.Gaps += o.Gaps
	c.Compressed += o.Compressed
	c.Bytes += o.Bytes
	for k, n := range o.Refused {
		c.Refused[k] += n
	}
	for k, n := range o.Resumes {
		c.Resumes[k] += n
	}
}

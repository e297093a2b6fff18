package stats

import (
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Range and precision of histograms: µs, up to ten minutes, to three significant figures.
const (
	maxLatency = 600_000_000
	precision  = 3
)

// NewHistogram returns an empty histogram of latencies in µs.
func NewHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, maxLatency, precision)
}

// Latency is a distribution of latencies, in µs: the time at which a tick was received − the time at which it was due.
type Latency struct {
	Count     uint64  `json:"count"`
	Early     uint64  `json:"early"` // received before due, counted as 0
	Mean      float64 `json:"mean"`
	P50       int64   `json:"p50"`
	P90       int64   `json:"p90"`
	P99       int64   `json:"p99"`
	P999      int64   `json:"p999"`
	Max       int64   `json:"max"`
	Histogram string  `json:"histogram"` // HdrHistogram V2, compressed, in base64, as in its log files

	decoded *hdrhistogram.Histogram
}

// LatencyOf returns the distribution of a histogram, which must not change afterwards.
func LatencyOf(h *hdrhistogram.Histogram) Latency {
	l := Latency{
		Count: uint64(h.TotalCount()), Mean: h.Mean(), P50: h.ValueAtPercentile(50), P90: h.ValueAtPercentile(90),
		P99: h.ValueAtPercentile(99), P999: h.ValueAtPercentile(99.9), Max: h.Max(), decoded: h,
	}
	if b, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase); err == nil {
		l.Histogram = string(b)
	}
	return l
}

// Decode returns the histogram, which the caller must not change.
func (l *Latency) Decode() (*hdrhistogram.Histogram, error) {
	if l.decoded != nil {
		return l.decoded, nil
	}
	h, err := hdrhistogram.Decode([]byte(l.Histogram))
	if err != nil {
		return nil, fmt.Errorf("histogram: %w", err)
	}
	l.decoded = h
	return h, nil
}

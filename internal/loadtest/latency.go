package loadtest

import (
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// open and latencyOf are a recorder's ends: a window begins, a window is told.
func (r *recorder) open() { recorders{r}.open() }

func (r *recorder) close() { recorders{r}.close() }

func latencyOf(r *recorder) Latency {
	l := latencyFrom(r.latency)
	l.Count, l.Early = r.live, r.early
	return l
}

func latencyFrom(h *hdrhistogram.Histogram) Latency {
	l := Latency{
		Count: uint64(h.TotalCount()), Mean: h.Mean(), P50: h.ValueAtPercentile(50), P90: h.ValueAtPercentile(90),
		P99: h.ValueAtPercentile(99), P999: h.ValueAtPercentile(99.9), Max: h.Max(), hist: h,
	}
	if b, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase); err == nil {
		l.Histogram = string(b)
	}
	return l
}

// Decode reads the histogram back, as a report's reader does.
func (l *Latency) Decode() (*hdrhistogram.Histogram, error) {
	if l.hist != nil {
		return l.hist, nil
	}
	h, err := hdrhistogram.Decode([]byte(l.Histogram))
	if err != nil {
		return nil, fmt.Errorf("histogram: %w", err)
	}
	l.hist = h
	return h, nil
}

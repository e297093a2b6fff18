package loadtest

import (
	"math"
	"slices"
)

// Contrast is two of more than two sides that differ in one thing, so that the difference is that thing's price.
type Contrast struct {
	About   Topic              `json:"about"`
	A       string             `json:"a"` // letters of the sides
	B       string             `json:"b"`
	Metrics []ContrastedMetric `json:"metrics"`
}

// ContrastedMetric is one figure's difference between the sides of a contrast. Its noise is that of all sides.
type ContrastedMetric struct {
	Key        string   `json:"key"`
	Difference Interval `json:"difference"` // A − B
	Verdict    Verdict  `json:"verdict"`
}

// Topic is what the sides of a contrast differ in.
type Topic string

// Topics of contrasts, in the order of telling.
const (
	AboutProtocol    Topic = "protocol"       // the lane, on the same engine
	AboutEngine      Topic = "implementation" // the engine, on the same lane
	AboutEncoding    Topic = "encoding"
	AboutCompression Topic = "compression"
	AboutNothing     Topic = "nothing" // both ask for the same: what chance can do
)

var topics = []Topic{AboutProtocol, AboutEngine, AboutEncoding, AboutCompression, AboutNothing}

// about tells what two sides differ in. ok is false when that is more than one thing, or something in the request.
func about(a, b SideInfo) (t Topic, ok bool) {
	var all []Topic
	if a.Lane != b.Lane {
		all = append(all, AboutProtocol)
	}
	if a.Engine != b.Engine {
		all = append(all, AboutEngine)
	}
	if a.Encoding != b.Encoding {
		all = append(all, AboutEncoding)
	}
	if a.compressed() != b.compressed() {
		all = append(all, AboutCompression)
	}
	switch len(all) {
	case 0:
		return AboutNothing, a.Path == b.Path
	case 1:
		return all[0], true
	}
	return "", false
}

func (s SideInfo) compressed() bool { return s.Compression != "" && s.Compression != compressNone }

// contrast finds all contrasts of more than two sides, by topic.
func (r *Report) contrast() {
	r.Contrasts = nil
	if len(r.Sides) <= 2 {
		return
	}
	for _, topic := range topics {
		for a := range r.Sides {
			for b := a + 1; b < len(r.Sides); b++ {
				if t, ok := about(r.Sides[a], r.Sides[b]); !ok || t != topic {
					continue
				}
				c := Contrast{About: topic, A: sideName(a), B: sideName(b)}
				for _, m := range metrics {
					x := m.collect(r.Slots, len(r.Sides))
					d := x.difference(a, b)
					c.Metrics = append(c.Metrics, ContrastedMetric{Key: m.key, Difference: d, Verdict: judge(d, rangeOf(x.noise))})
				}
				r.Contrasts = append(r.Contrasts, c)
			}
		}
	}
}

// metric returns the figure of a key; the zero one when there is none.
func (c Contrast) metric(key string) ContrastedMetric {
	for _, m := range c.Metrics {
		if m.Key == key {
			return m
		}
	}
	return ContrastedMetric{}
}

// sides are the places of a contrast's sides.
func (c Contrast) sides() (a, b int) { return int(c.A[0] - 'A'), int(c.B[0] - 'A') }

// more tells by which share the higher side of a contrast lies above the lower one, 0 where no difference is claimed.
func (r *Report) more(c Contrast, key string) (share float64, higher int) {
	a, b := c.sides()
	m := r.metric(key)
	va, vb := m.of(a).Median, m.of(b).Median
	switch c.metric(key).Verdict {
	case Higher:
		return va/vb - 1, a
	case Lower:
		return vb/va - 1, b
	}
	return 0, -1
}

// most is the largest such share among the contrasts of a topic; ok is false when no contrast of it could be judged.
func (r *Report) most(t Topic, key string) (share float64, ok bool) {
	for _, c := range r.Contrasts {
		if c.About != t || !slices.Contains([]Verdict{Higher, Lower, NoDifference}, c.metric(key).Verdict) {
			continue
		}
		ok = true
		if s, _ := r.more(c, key); !math.IsInf(s, 0) && !math.IsNaN(s) {
			share = max(share, s)
		}
	}
	return share, ok
}

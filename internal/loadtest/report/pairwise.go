package report

import (
	"math"
	"slices"

	"ticklane/internal/loadtest/stats"
)

// Variant describes what was compared.
type Variant struct {
	Variant     string   `json:"variant"` // its letter: "A", "B", …
	Name        string   `json:"name"`
	Lane        string   `json:"lane"`
	Engine      string   `json:"engine"` // that the server reported
	Encoding    string   `json:"encoding"`
	Compression string   `json:"compression"`        // "none", "gzip" or "permessage-deflate"
	Path        string   `json:"path"`               // of the subscribe request
	Settings    []string `json:"settings,omitempty"` // of the server started for it, in addition to the target's
	Failed      string   `json:"failed,omitempty"`   // why it could not be measured, or not to the end
}

func (v Variant) compressed() bool { return v.Compression != "" && v.Compression != "none" }

// Pairwise is the comparison of two variants that differ in one thing, so that their difference is its cost.
type Pairwise struct {
	About   Topic            `json:"about"`
	A       string           `json:"a"` // letters of the variants
	B       string           `json:"b"`
	Metrics []PairwiseMetric `json:"metrics"`
}

// PairwiseMetric is the difference of one figure. It is judged by the noise of all variants.
type PairwiseMetric struct {
	Key        string         `json:"key"`
	Difference stats.Interval `json:"difference"` // A − B
	Verdict    stats.Verdict  `json:"verdict"`
}

// Topic is what two variants differ in.
type Topic string

// Topics, in the order of reporting.
const (
	AboutProtocol    Topic = "protocol"       // the lane, on the same engine
	AboutEngine      Topic = "implementation" // the engine, on the same lane
	AboutEncoding    Topic = "encoding"
	AboutCompression Topic = "compression"
	AboutNothing     Topic = "nothing" // both are the same: their difference is chance
)

var topics = []Topic{AboutProtocol, AboutEngine, AboutEncoding, AboutCompression, AboutNothing}

// topicOf returns what two variants differ in. ok is false if that is more than one thing, or something else in their
// requests.
func topicOf(a, b Variant) (t Topic, ok bool) {
	var differ []Topic
	if a.Lane != b.Lane {
		differ = append(differ, AboutProtocol)
	}
	if a.Engine != b.Engine {
		differ = append(differ, AboutEngine)
	}
	if a.Encoding != b.Encoding {
		differ = append(differ, AboutEncoding)
	}
	if a.compressed() != b.compressed() {
		differ = append(differ, AboutCompression)
	}
	switch len(differ) {
	case 0:
		return AboutNothing, a.Path == b.Path
	case 1:
		return differ[0], true
	}
	return "", false
}

// comparePairs returns the pairwise comparisons of more than two variants, by topic, without those that failed.
func comparePairs(variants []Variant, windows []*Window) []Pairwise {
	if len(variants) <= 2 {
		return nil
	}
	series := make([]stats.Series, len(metrics))
	for k, m := range metrics {
		series[k] = m.series(windows, len(variants))
	}
	var all []Pairwise
	for _, topic := range topics {
		for a := range variants {
			for b := a + 1; b < len(variants); b++ {
				if variants[a].Failed != "" || variants[b].Failed != "" {
					continue
				}
				if t, ok := topicOf(variants[a], variants[b]); !ok || t != topic {
					continue
				}
				p := Pairwise{About: topic, A: Letter(a), B: Letter(b)}
				for k, m := range metrics {
					d := series[k].Difference(a, b)
					p.Metrics = append(p.Metrics, PairwiseMetric{Key: m.key, Difference: d, Verdict: stats.Judge(d, series[k].Noise())})
				}
				all = append(all, p)
			}
		}
	}
	return all
}

// metric returns the figure with a key, the zero one if there is none.
func (p Pairwise) metric(key string) PairwiseMetric {
	for _, m := range p.Metrics {
		if m.Key == key {
			return m
		}
	}
	return PairwiseMetric{}
}

// variants returns the indexes of the variants.
func (p Pairwise) variants() (a, b int) { return index(p.A), index(p.B) }

// excess returns by which share the higher variant of a pair exceeds the other in a figure m, and its index. It is 0 and
// −1 if the verdict names no higher one.
func (p Pairwise) excess(m Metric) (share float64, higher int) {
	a, b := p.variants()
	va, vb := m.of(a).Median, m.of(b).Median
	switch p.metric(m.Key).Verdict {
	case stats.Higher:
		return va/vb - 1, a
	case stats.Lower:
		return vb/va - 1, b
	}
	return 0, -1
}

// largestExcess returns the largest such share of the pairs of a topic. ok is false if none of them could be judged.
func largestExcess(pairs []Pairwise, t Topic, m Metric) (share float64, ok bool) {
	for _, p := range pairs {
		judged := []stats.Verdict{stats.Higher, stats.Lower, stats.NoDifference}
		if p.About != t || !slices.Contains(judged, p.metric(m.Key).Verdict) {
			continue
		}
		ok = true
		if s, _ := p.excess(m); !math.IsInf(s, 0) && !math.IsNaN(s) {
			share = max(share, s)
		}
	}
	return share, ok
}

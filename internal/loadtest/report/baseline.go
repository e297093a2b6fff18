package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"ticklane/internal/loadtest/stats"
)

// Baseline is an earlier report with which this one is compared.
type Baseline struct {
	File     string            `json:"file"`
	Started  time.Time         `json:"started"`
	Version  string            `json:"version"` // of its server
	Status   string            `json:"status"`
	Command  string            `json:"command"`
	Differs  []string          `json:"differs,omitempty"` // what was measured differently, such as "connections 1,000 → 200"
	Variants []BaselineVariant `json:"variants"`          // for each variant of this report
}

// BaselineVariant compares a variant with the one of the baseline that it resembles most.
type BaselineVariant struct {
	Variant  string   `json:"variant"`            // its letter
	Baseline string   `json:"baseline,omitempty"` // the letter of the other; absent: the baseline has no variant of this lane
	Figures  []Change `json:"figures,omitempty"`
}

// Change is how a figure of a variant differs from that of the baseline. What wasn't measured is null.
type Change struct {
	Figure     string         `json:"figure"` // its key
	Before     *float64       `json:"before"`
	Now        *float64       `json:"now"`
	Difference stats.Interval `json:"difference"` // now − before; only of metrics
	Noise      float64        `json:"noise"`      // the larger of both
	Verdict    string         `json:"verdict"`    // empty for counts and drills, which aren't judged
}

// Verdicts on a change, in addition to those on a difference.
const (
	changeHigher    = "higher"
	changeLower     = "lower"
	changeNotJudged = "not judged" // one of the tests is invalid or broken
)

// SetBaseline makes Conclude compare the report with an earlier one, which ReadBaseline has read from a file.
func (r *Report) SetBaseline(earlier *Report, file string) { r.earlier, r.earlierFile = earlier, file }

// compareBaseline fills in the comparison with the baseline.
func (r *Report) compareBaseline() {
	if r.earlier == nil {
		return
	}
	e := r.earlier
	b := &Baseline{File: r.earlierFile, Started: e.Started, Version: e.Target.Version, Status: e.Status, Command: e.Command}
	matches := matchVariants(r.Variants, e.Variants)
	b.Differs = setupDifferences(r, e, matches)
	for k, v := range r.Variants {
		x := BaselineVariant{Variant: v.Variant}
		if matches[k] >= 0 {
			x.Baseline = Letter(matches[k])
			x.Figures = r.changes(k, matches[k])
		}
		b.Variants = append(b.Variants, x)
	}
	r.Baseline = b
}

// matchVariants returns the index in before of the counterpart of each variant in now, −1 for none: an equal one if there is
// one, else the first of the lane that is left.
func matchVariants(now, before []Variant) []int {
	matches, taken := make([]int, len(now)), make([]bool, len(before))
	for k := range matches {
		matches[k] = -1
	}
	for _, same := range []func(a, b Variant) bool{
		func(a, b Variant) bool { t, ok := topicOf(a, b); return ok && t == AboutNothing },
		func(a, b Variant) bool {
			return a.Lane == b.Lane && a.Engine == b.Engine && a.Encoding == b.Encoding && a.compressed() == b.compressed()
		},
		func(a, b Variant) bool { return a.Lane == b.Lane },
	} {
		for k, v := range now {
			for n, w := range before {
				if matches[k] < 0 && !taken[n] && same(v, w) {
					matches[k], taken[n] = n, true
				}
			}
		}
	}
	return matches
}

// changes returns the changes of all figures of variant k against variant n of the baseline, without counts that are 0 in
// both.
func (r *Report) changes(k, n int) []Change {
	var all []Change
	for _, f := range figures(r.Kind) {
		c := Change{Figure: f.key}
		if v, ok := f.value(r, k); ok {
			c.Now = &v
		}
		if v, ok := f.value(r.earlier, n); ok {
			c.Before = &v
		}
		if c.Now == nil && c.Before == nil || f.isCount && (c.Now == nil || *c.Now == 0) && (c.Before == nil || *c.Before == 0) {
			continue
		}
		for _, m := range metrics {
			if m.key == f.key && !r.isDrill() {
				r.judgeChange(&c, m, k, n)
			}
		}
		all = append(all, c)
	}
	return all
}

// judgeChange compares the windows of a variant with those of its counterpart, as those of two variants are compared.
func (r *Report) judgeChange(c *Change, m metric, k, n int) {
	now, before := m.series(r.Windows, len(r.Variants)), m.series(r.earlier.Windows, len(r.earlier.Variants))
	c.Difference = stats.WelchInterval(now.Values(k), before.Values(n))
	c.Noise = max(now.Noise().Max, before.Noise().Max)
	noise := stats.Range{Max: c.Noise, Count: min(now.Noise().Count, before.Noise().Count)}
	unfit := func(x *Report) bool { return x.Status == StatusInvalid || x.Status == StatusBroken }
	switch verdict := stats.Judge(c.Difference, noise); {
	case unfit(r) || unfit(r.earlier):
		c.Verdict = changeNotJudged
	case isLatency(m.key) && r.failures().windows+r.earlier.failures().windows > 0:
		c.Verdict = string(stats.Suppressed)
	case verdict == stats.Higher:
		c.Verdict = changeHigher
	case verdict == stats.Lower:
		c.Verdict = changeLower
	default:
		c.Verdict = string(verdict)
	}
}

// differs reports whether the change is larger than its error and the noise.
func (c Change) differs() bool { return c.Verdict == changeHigher || c.Verdict == changeLower }

// share returns the change as a share of the figure before, NaN if there is none.
func (c Change) share() float64 {
	if c.Before == nil || c.Now == nil || *c.Before == 0 {
		return math.NaN()
	}
	return *c.Now / *c.Before - 1
}

// show returns text such as "10.1 → 12.3".
func (c Change) show() string {
	text := func(v *float64) string {
		if v == nil {
			return "–"
		}
		d := decimals(*v)
		for _, other := range []*float64{c.Before, c.Now} {
			if other != nil && *other != 0 {
				d = max(d, decimals(*other))
			}
		}
		if *v == math.Trunc(*v) && (c.Before == nil || *c.Before == math.Trunc(*c.Before)) && (c.Now == nil || *c.Now == math.Trunc(*c.Now)) {
			d = 0
		}
		return number(*v, d)
	}
	return text(c.Before) + " → " + text(c.Now)
}

// showShare returns text such as "+21.8 %", empty if the change has no share.
func (c Change) showShare() string {
	share := c.share()
	if math.IsNaN(share) {
		return ""
	}
	return signed(share*100, min(1, decimals(share*100))) + " %"
}

// Title says with what the report is compared.
func (b *Baseline) Title() string {
	text := fmt.Sprintf("Against the baseline %s of %s UTC, version %s", b.File, b.Started.UTC().Format("2006-01-02 15:04"), b.Version)
	if b.Status != StatusComplete {
		text += ", " + b.Status
	}
	return text
}

// findBaseline adds what changed since the baseline.
func (r *Report) findBaseline() {
	b := r.Baseline
	if b == nil {
		return
	}
	if len(b.Differs) > 0 {
		r.Findings = append(r.Findings, fmt.Sprintf("The baseline was measured differently, which may explain a change: %s.", strings.Join(b.Differs, "; ")))
	}
	var without []string
	for _, x := range b.Variants {
		name := r.Variants[index(x.Variant)].Name
		if x.Baseline == "" {
			without = append(without, name)
			continue
		}
		if r.isDrill() || r.Status == StatusInvalid || r.Status == StatusBroken {
			continue
		}
		var parts []string
		judged := false
		for _, c := range x.Figures {
			judged = judged || c.differs() || c.Verdict == string(stats.NoDifference)
			if c.differs() {
				f, _ := figureOf(r.Kind, c.Figure)
				unit := ""
				if f.unit != "" {
					unit = " " + f.unit
				}
				parts = append(parts, fmt.Sprintf("%s %s (%s%s, %s)", f.name, c.Verdict, c.show(), unit, c.showShare()))
			}
		}
		switch {
		case len(parts) > 0:
			r.Findings = append(r.Findings, fmt.Sprintf("Against the baseline, %s: %s.", name, strings.Join(parts, "; ")))
		case judged:
			r.Findings = append(r.Findings, fmt.Sprintf("Against the baseline, %s: no figure differs beyond its error and the noise.", name))
		default:
			r.Findings = append(r.Findings, fmt.Sprintf("Against the baseline, %s: too few valid windows to judge a change.", name))
		}
	}
	if len(without) > 0 {
		r.Findings = append(r.Findings, fmt.Sprintf("The baseline has no variant to compare with %s.", strings.Join(without, ", ")))
	}
}

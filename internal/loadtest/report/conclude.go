package report

import (
	"slices"

	"ticklane/internal/loadtest/stats"
)

// Conclude fills in the metrics, the pairwise comparisons, the results of the thresholds, the headline and the findings
// from the windows, the drills and the status.
func (r *Report) Conclude() {
	if !r.isDrill() {
		r.Metrics = summarize(r.Windows, len(r.Variants))
		r.Pairwise = comparePairs(r.Variants, r.Windows)
		r.suppress()
	}
	r.judgeThresholds()
	r.compareBaseline()
	r.writeFindings()
}

// suppress replaces the verdicts that may not be given: all of a test that is invalid or broken, and after a failure of the
// server those that the remaining windows don't represent.
func (r *Report) suppress() {
	var verdict stats.Verdict
	all := false
	switch {
	case r.Status == StatusInvalid || r.Status == StatusBroken:
		verdict, all = stats.Unknown, true
	case slices.ContainsFunc(r.Windows, func(w *Window) bool { return len(w.ServerFailures) > 0 }):
		verdict, all = stats.Suppressed, r.lossy()
	default:
		return
	}
	for k := range r.Metrics {
		if all || isLatency(r.Metrics[k].Key) {
			r.Metrics[k].Verdict = verdict
		}
	}
	for _, p := range r.Pairwise {
		for k := range p.Metrics {
			if all || isLatency(p.Metrics[k].Key) {
				p.Metrics[k].Verdict = verdict
			}
		}
	}
}

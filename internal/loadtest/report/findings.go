package report

import (
	"fmt"
	"math"
	"strings"

	"ticklane/internal/loadtest/stats"
)

// writeFindings writes the headline and the findings from the figures alone.
func (r *Report) writeFindings() {
	r.Headline, r.Findings = "", nil
	r.findThresholds()
	failed := r.failures()
	failures := failed.sentences()
	switch {
	case r.Status == StatusInvalid:
		r.Headline = "Invalid: nothing may be concluded from this test. " + sentence(r.FirstReason())
	case r.Status == StatusBroken:
		r.Headline = "Ticks were lost, duplicated or out of order: the figures below are void."
	case len(r.Drills) > 0:
		r.Headline = r.drillHeadline()
	case failed.windows > 0:
		r.Headline = fmt.Sprintf("The server failed in %d of %d windows, so nothing is concluded about latency.", failed.windows, len(r.Windows))
		r.Findings, failures = append(r.Findings, failures...), nil
		if !r.lossy() {
			r.findDifferences(false)
			r.findInvalidRounds()
		}
	default:
		r.Headline = r.comparisonHeadline()
		if r.Headline != "" && len(r.Variants) > 1 {
			r.findDifferences(true)
			r.findComplete()
			r.findInvalidRounds()
		}
	}
	if failed := r.FailureText(true); failed != "" {
		r.Headline = strings.TrimSpace(sentence(failed) + " " + r.Headline)
	}
	if r.Status == StatusInterrupted {
		r.Headline = strings.TrimSpace("Interrupted: this is a part of the test. " + r.Headline)
	}
	r.Findings = append(r.Findings, failures...)
	r.findBaseline()
}

// sentence returns a reason with a capital letter and a full stop.
func sentence(reason string) string {
	if reason == "" {
		return ""
	}
	return strings.ToUpper(reason[:1]) + reason[1:] + "."
}

// comparisonHeadline returns the headline of a comparison, empty if too little was measured for one.
func (r *Report) comparisonHeadline() string {
	p50, p99 := r.metric("latency_p50"), r.metric("latency_p99")
	var measured []int
	for k := range r.Variants {
		if p50.of(k).Count > 0 {
			measured = append(measured, k)
		}
	}
	switch {
	case len(measured) == 1 && len(r.failedVariants()) == len(r.Variants)-1:
		k := measured[0]
		return fmt.Sprintf("%s, half of all ticks reach a client over %s within %s ms and 99 %% within %s ms of being due.", r.load(),
			r.Variants[k].Name, number(p50.of(k).Median, p50.digits()), number(p99.of(k).Median, p99.digits()))
	case len(r.Variants) > 2:
		return r.pairwiseHeadline()
	case len(measured) < 2:
		return ""
	default:
		return r.pairHeadline(p50)
	}
}

// pairHeadline returns the headline of two variants from their median latency.
func (r *Report) pairHeadline(m Metric) string {
	a, b := r.Variants[0], r.Variants[1]
	d := m.digits()
	figures := fmt.Sprintf("p50 is %s against %s ms", number(m.A.Median, d), number(m.B.Median, d))
	difference := fmt.Sprintf("mean of the paired differences %s ms (noise %s ms)", showInterval(m.Difference, d), number(m.Noise.Max, d))
	topic, ok := topicOf(a, b)
	same := ok && topic == AboutNothing
	switch {
	case m.Verdict == stats.Unknown:
		return fmt.Sprintf("%s, %s; too few valid rounds to separate a difference from noise: at least two are needed.", r.load(), figures)
	case m.Verdict == stats.NoDifference && same:
		return fmt.Sprintf("Both variants are the same, and no difference in latency is found: %s, noise %s ms.", figures, number(m.Noise.Max, d))
	case m.Verdict == stats.NoDifference:
		return fmt.Sprintf("%s, neither is faster: %s, %s.", r.load(), figures, difference)
	}
	faster, slower := a.Name, b.Name
	if m.Verdict == stats.Higher {
		faster, slower = slower, faster
	}
	headline := fmt.Sprintf("%s, %s is faster than %s: %s, %s.", r.load(), faster, slower, figures, difference)
	if same {
		headline += " Both variants are the same, so this difference is chance or the machine's."
	}
	return headline
}

// findDifferences adds a finding for each figure of two variants, or for each pair of more; about latency only on demand.
func (r *Report) findDifferences(latency bool) {
	if len(r.Variants) > 2 {
		r.findPairwise(latency)
		return
	}
	if len(r.Variants) < 2 || r.Variants[0].Failed != "" || r.Variants[1].Failed != "" {
		return
	}
	for _, f := range []struct{ key, higher, name string }{
		{"latency_p99", "has the higher 99th percentile of latency", "the 99th percentile of latency"},
		{"cpu_per_million", "uses more server CPU per tick", "server CPU per tick"},
		{"kib_per_connection", "uses more server memory per connection", "server memory per connection"},
		{"wire_per_tick", "sends more bytes per tick", "bytes per tick"},
	} {
		if text := r.pairFinding(r.metric(f.key), f.higher, f.name); text != "" && (latency || !isLatency(f.key)) {
			r.Findings = append(r.Findings, text)
		}
	}
}

// pairFinding returns what the difference of two variants in a figure shows, empty if nothing may be concluded.
func (r *Report) pairFinding(m Metric, higher, name string) string {
	d := m.digits()
	if m.A.Count == 0 || m.B.Count == 0 {
		return fmt.Sprintf("Not measured: %s.", name)
	}
	figures := fmt.Sprintf("%s against %s", number(m.A.Median, d), number(m.B.Median, d))
	if m.Unit != "" {
		figures += " " + m.Unit
	}
	switch m.Verdict {
	case stats.Higher, stats.Lower:
		variant, share := r.Variants[0].Name, m.A.Median/m.B.Median-1
		if m.Verdict == stats.Lower {
			variant, share = r.Variants[1].Name, m.B.Median/m.A.Median-1
		}
		return fmt.Sprintf("%s %s: %s, %s %% more; mean of the paired differences %s.", variant, higher, figures,
			number(share*100, decimals(math.Max(10, share*100))), showInterval(m.Difference, d))
	case stats.NoDifference:
		return fmt.Sprintf("No difference in %s: %s; the difference of %s is within its error or the noise of %s.", name, figures,
			showInterval(m.Difference, d), number(m.Noise.Max, d))
	}
	return ""
}

// findComplete adds that every tick of the valid rounds arrived. It must be called only if no window failed.
func (r *Report) findComplete() {
	if valid := r.ValidRounds(); valid > 0 {
		rounds := "rounds"
		if valid == 1 {
			rounds = "round"
		}
		r.Findings = append(r.Findings, fmt.Sprintf(
			"Every tick of every connection was checked in %d valid %s: none was lost, duplicated or out of order.", valid, rounds))
	}
}

func (r *Report) findInvalidRounds() {
	rounds := r.Rounds()
	if invalid := rounds - r.ValidRounds(); invalid > 0 {
		r.Findings = append(r.Findings, fmt.Sprintf("%d of %d rounds are left out; the list of windows gives the reasons.", invalid, rounds))
	}
}

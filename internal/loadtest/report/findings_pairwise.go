package report

import (
	"fmt"
	"strings"

	"ticklane/internal/loadtest/stats"
)

// costs are the figures of a pairwise comparison, with their names in sentences.
var costs = []struct{ key, name string }{
	{"latency_p50", "p50"}, {"latency_p99", "p99"}, {"cpu_per_million", "CPU"}, {"kib_per_connection", "memory"}, {"wire_per_tick", "bytes"},
}

// pairwiseHeadline returns how much each topic changes the figures at most. It is empty if no pair could be judged.
func (r *Report) pairwiseHeadline() string {
	var parts []string
	for _, t := range topics {
		if text := r.topicEffect(t); text != "" {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return r.load() + ": " + strings.Join(parts, "; ") + "."
}

// topicEffect returns text such as "the protocol changes CPU by up to 22 %, bytes by up to 25 %".
func (r *Report) topicEffect(t Topic) string {
	var effects []string
	judged := false
	for _, c := range costs {
		share, ok := largestExcess(r.Pairwise, t, r.metric(c.key))
		judged = judged || ok
		switch {
		case share >= 1:
			effects = append(effects, fmt.Sprintf("%s by a factor of up to %s", c.name, number(share+1, 1)))
		case share > 0:
			effects = append(effects, fmt.Sprintf("%s by up to %s", c.name, percent(share)))
		}
	}
	subject := "the " + string(t)
	if t == AboutNothing {
		subject = "measuring the same variant twice"
	}
	switch {
	case !judged:
		return ""
	case len(effects) == 0:
		return subject + " changes nothing beyond the noise"
	}
	return subject + " changes " + strings.Join(effects, ", ")
}

// findPairwise adds a finding for each pair.
func (r *Report) findPairwise(latency bool) {
	for _, p := range r.Pairwise {
		a, b := p.variants()
		var results []string
		for _, c := range costs {
			if latency || !isLatency(c.key) {
				results = append(results, c.name+" "+p.describe(r.metric(c.key)))
			}
		}
		r.Findings = append(r.Findings, fmt.Sprintf("%s, %s against %s: %s.", p.About.title(), r.Variants[a].Name, r.Variants[b].Name, strings.Join(results, "; ")))
	}
}

// title returns the topic as the start of a sentence.
func (t Topic) title() string {
	if t == AboutNothing {
		return "The same variant twice"
	}
	return "The " + string(t)
}

// heading returns the heading of a topic's table.
func (t Topic) heading() string {
	switch t {
	case AboutProtocol:
		return "Cost of the protocol: the same engine on both lanes"
	case AboutEngine:
		return "Cost of the implementation: the same lane with two engines"
	case AboutEncoding:
		return "Cost of the encoding"
	case AboutCompression:
		return "Cost of compression"
	}
	return "The same variant twice: chance and the machine"
}

// describe returns text such as "13.4 against 11.0 s (22 % more)".
func (p Pairwise) describe(m Metric) string {
	a, b := p.variants()
	va, vb := m.of(a), m.of(b)
	if va.Count == 0 || vb.Count == 0 {
		return "not measured"
	}
	d := max(decimals(va.Median), decimals(vb.Median))
	text := fmt.Sprintf("%s against %s", number(va.Median, d), number(vb.Median, d))
	if m.Unit != "" {
		text += " " + m.Unit
	}
	switch verdict := p.metric(m.Key).Verdict; verdict {
	case stats.Higher, stats.Lower:
		if share, higher := p.excess(m); higher == a {
			return fmt.Sprintf("%s (%s)", text, excessText(share))
		}
		return fmt.Sprintf("%s (%s less)", text, percent(1-va.Median/vb.Median))
	case stats.NoDifference:
		return text + " (no difference)"
	default:
		return fmt.Sprintf("%s (%s)", text, verdict)
	}
}

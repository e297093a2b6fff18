package report

import (
	"fmt"
	"strings"
)

func (r *Report) drillHeadline() string {
	var parts []string
	for _, d := range r.Drills {
		parts = append(parts, d.Sentence(r.drill()))
	}
	return strings.Join(parts, " ")
}

// Sentence returns what the drill of this name showed.
func (d *Drill) Sentence(drill string) string {
	switch drill {
	case DrillResume:
		return fmt.Sprintf("%s: %s cuts, %s ticks lost, %s duplicates%s; reconnected after %s ms (p50).", d.Name, count(d.Cuts), count(d.Check.Lost),
			count(d.Check.Duplicates), d.gapText(), d.Reconnect.p50())
	case DrillStorm:
		reconnected, last := 0, "–"
		if d.Reconnect != nil {
			reconnected, last = d.Reconnect.Count, number(d.Reconnect.Max, decimals(d.Reconnect.Max))
		}
		return fmt.Sprintf("%s: of %s cut at once %s reconnected, half after %s ms, the last after %s ms; %s ticks lost, %s duplicates%s.", d.Name,
			count(d.Cuts), count(reconnected), d.Reconnect.p50(), last, count(d.Check.Lost), count(d.Check.Duplicates), d.gapText())
	}
	if len(d.Phases) < 2 || d.Stalled == nil {
		return d.Name + ": not finished."
	}
	before, during := ms(d.Phases[0].Latency.P99), ms(d.Phases[1].Latency.P99)
	return fmt.Sprintf("%s: while %s of %s were stalled, the p99 of the others was %s ms (before: %s ms), with %s ticks lost and %s duplicates.", d.Name,
		count(d.Stalled.Connections), count(d.Connections), number(during, decimals(during)), number(before, decimals(before)),
		count(d.Check.Lost), count(d.Check.Duplicates))
}

func (d *Drill) gapText() string {
	if d.Check.Gaps == 0 {
		return ""
	}
	return fmt.Sprintf(", %s in gaps", count(d.Check.GapTicks))
}

func (r *Recovery) p50() string {
	if r == nil {
		return "–"
	}
	return number(r.P50, decimals(r.P50))
}

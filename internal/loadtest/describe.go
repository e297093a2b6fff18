package loadtest

import (
	"fmt"
	"math"
	"strings"
)

// describe writes the headline and the findings from the figures, never from what one would expect.
func (r *Report) describe() {
	r.Headline, r.Findings = "", nil
	failed := r.failures()
	switch {
	case r.Status == StatusInvalid:
		r.Headline = "Invalid: nothing may be concluded from this test. " + r.firstReason()
	case r.Status == StatusBroken:
		r.Headline = "Ticks were lost, doubled or out of order: the figures below are void."
	case len(r.Drills) > 0:
		r.describeDrills()
	case failed.server > 0:
		r.Headline = fmt.Sprintf("The server failed in %d of %d slots, so nothing is said of latency.", failed.server, len(r.Slots))
		r.Findings, failed.findings = failed.findings, nil
		if !r.lossy() {
			r.findFigures(false)
			r.findLeftOut()
		}
	case len(r.Sides) == 1:
		r.describeOne()
	case len(r.Sides) == 2:
		r.describeTwo()
	case len(r.Sides) > 2:
		r.describeMany()
	}
	if r.Status == StatusInterrupted {
		r.Headline = strings.TrimSpace("Interrupted: this is a part of the test. " + r.Headline)
	}
	r.Findings = append(r.Findings, failed.findings...)
}

func (r *Report) firstReason() string {
	for _, d := range r.Drills {
		if !d.Valid {
			return sentence(d.Reasons)
		}
	}
	for _, s := range r.Slots {
		if !s.Valid {
			return sentence(s.Reasons)
		}
	}
	return ""
}

func sentence(reasons []string) string {
	s := strings.Join(reasons, "; ")
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

func (r *Report) load() string {
	per := r.metric("ticks_per_second")
	rate := 0.0
	for k := range r.Sides {
		rate = max(rate, per.of(k).Median/float64(max(1, r.Setup.Conns)))
	}
	return fmt.Sprintf("With %s connections at %s ticks/s each", count(r.Setup.Conns), number(rate, decimals(rate)))
}

func (r *Report) describeOne() {
	m, p := r.metric("latency_p50"), r.metric("latency_p99")
	if m.A.Count == 0 {
		return
	}
	r.Headline = fmt.Sprintf("%s, half of all ticks reach a client over %s within %s ms and 99 %% within %s ms of being due.", r.load(),
		r.Sides[0].Name, number(m.A.Median, m.digits()), number(p.A.Median, p.digits()))
}

func (r *Report) describeTwo() {
	a, b := r.Sides[0], r.Sides[1]
	m := r.metric("latency_p50")
	if m.A.Count == 0 || m.B.Count == 0 {
		return
	}
	d := m.digits()
	figures := fmt.Sprintf("p50 is %s against %s ms", number(m.A.Median, d), number(m.B.Median, d))
	t, ok := about(a, b)
	same := ok && t == AboutNothing
	switch {
	case m.Verdict == Unknown:
		r.Headline = fmt.Sprintf("%s, %s; too few valid rounds to tell noise from difference: want two or more.", r.load(), figures)
	case m.Verdict == NoDifference && same:
		r.Headline = fmt.Sprintf("Both sides ask for the same, and no difference in latency is found: %s, noise %s ms.", figures, number(m.Noise.Max, d))
	case m.Verdict == NoDifference:
		r.Headline = fmt.Sprintf("%s, neither is faster: %s, mean of the paired differences %s ms (noise %s ms).", r.load(), figures,
			m.Difference.show(d), number(m.Noise.Max, d))
	default:
		faster, slower := a.Name, b.Name
		if m.Verdict == Higher {
			faster, slower = slower, faster
		}
		r.Headline = fmt.Sprintf("%s, %s is faster than %s: %s, mean of the paired differences %s ms (noise %s ms).", r.load(), faster, slower, figures,
			m.Difference.show(d), number(m.Noise.Max, d))
		if same {
			r.Headline += " Both sides ask for the same, so this is what chance or the machine can do."
		}
	}
	r.findFigures(true)
	r.findComplete()
	r.findLeftOut()
}

// figures are those that findings tell of, besides the median latency in the headline.
var figures = []struct{ key, more, none string }{
	{"latency_p99", "has the higher 99th percentile of latency", "the 99th percentile of latency"},
	{"cpu_per_million", "costs the server more CPU for a tick", "the server's CPU for a tick"},
	{"kib_per_connection", "costs the server more memory for a connection", "the server's memory for a connection"},
	{"wire_per_tick", "sends more bytes for a tick", "bytes for a tick"},
}

// findFigures says what may be said of two sides, or of each contrast of more; of latency only where it means something.
func (r *Report) findFigures(latency bool) {
	if len(r.Sides) > 2 {
		r.findContrasts(latency)
		return
	}
	if len(r.Sides) < 2 {
		return
	}
	for _, f := range figures {
		if text := r.finding(r.metric(f.key), f.more, f.none); text != "" && (latency || f.key != "latency_p99") {
			r.Findings = append(r.Findings, text)
		}
	}
}

// findComplete says that everything came, which only a test without a failure shows.
func (r *Report) findComplete() {
	if valid := validRounds(r.Slots, len(r.Sides)); valid > 0 {
		rounds := "rounds"
		if valid == 1 {
			rounds = "round"
		}
		r.Findings = append(r.Findings, fmt.Sprintf(
			"Every tick of every connection was checked in %d valid %s: none was lost, doubled or out of order.", valid, rounds))
	}
}

func (r *Report) findLeftOut() {
	rounds := len(r.Slots) / len(r.Sides)
	if left := rounds - validRounds(r.Slots, len(r.Sides)); left > 0 {
		r.Findings = append(r.Findings, fmt.Sprintf("%d of %d rounds are left out; the rounds below say why.", left, rounds))
	}
}

func (r *Report) finding(m Metric, more, none string) string {
	d := m.digits()
	if m.A.Count == 0 || m.B.Count == 0 {
		return fmt.Sprintf("Not measured: %s.", none)
	}
	figures := fmt.Sprintf("%s against %s", number(m.A.Median, d), number(m.B.Median, d))
	if m.Unit != "" {
		figures += " " + m.Unit
	}
	switch m.Verdict {
	case Higher, Lower:
		name, part := r.Sides[0].Name, m.A.Median/m.B.Median-1
		if m.Verdict == Lower {
			name, part = r.Sides[1].Name, m.B.Median/m.A.Median-1
		}
		return fmt.Sprintf("%s %s: %s, %s %% more; mean of the paired differences %s ± %s.", name, more, figures, number(part*100, decimals(math.Max(10, part*100))),
			signed(m.Difference.Mean, d), number((m.Difference.High-m.Difference.Low)/2, d))
	case NoDifference:
		return fmt.Sprintf("No difference in %s: %s; the difference of %s is inside its error or the noise of %s.", none, figures,
			m.Difference.show(d), number(m.Noise.Max, d))
	}
	return "" // the headline says that nothing can be compared, and the table holds the figures
}

func (r *Report) describeDrills() {
	var parts []string
	for _, d := range r.Drills {
		parts = append(parts, d.sentence(strings.TrimPrefix(r.Kind, "drill ")))
	}
	r.Headline = strings.Join(parts, " ")
}

// sentence is what the drill showed of one side.
func (d *Drill) sentence(kind string) string {
	switch kind {
	case DrillResume:
		return fmt.Sprintf("%s: %s cuts, %s ticks lost, %s doubled%s; back after %s ms (p50).", d.Name, count(d.Cuts), count(d.Check.Lost),
			count(d.Check.Doubled), toldText(d), d.Back.p50())
	case DrillStorm:
		back := 0
		if d.Back != nil {
			back = d.Back.Count
		}
		last := "–"
		if d.Back != nil {
			last = number(d.Back.Max, decimals(d.Back.Max))
		}
		return fmt.Sprintf("%s: of %s cut at once %s were back, half after %s ms, the last after %s ms; %s ticks lost, %s doubled%s.", d.Name,
			count(d.Cuts), count(back), d.Back.p50(), last, count(d.Check.Lost), count(d.Check.Doubled), toldText(d))
	}
	if len(d.Phases) < 2 || d.Stalled == nil {
		return d.Name + ": not finished."
	}
	b, s := d.Phases[0].Latency, d.Phases[1].Latency
	return fmt.Sprintf("%s: while %s of %s stood still, the others' p99 was %s ms (before: %s ms), with %s ticks lost and %s doubled.", d.Name,
		count(d.Stalled.Connections), count(d.Connections), number(ms(s.P99), decimals(ms(s.P99))), number(ms(b.P99), decimals(ms(b.P99))),
		count(d.Check.Lost), count(d.Check.Doubled))
}

func toldText(d *Drill) string {
	if d.Check.Gaps == 0 {
		return ""
	}
	return fmt.Sprintf(", %s told as gaps", count(d.Check.Told))
}

func (r *Recovery) p50() string {
	if r == nil {
		return "–"
	}
	return number(r.P50, decimals(r.P50))
}

// drillLine is the drill's line of progress.
func drillLine(kind string, d *Drill) string { return d.sentence(kind) }

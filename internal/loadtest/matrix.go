package loadtest

import (
	"fmt"
	"strings"
)

// price is a figure that a choice costs, and what a sentence calls it.
var prices = []struct{ key, name string }{
	{"latency_p50", "p50"}, {"latency_p99", "p99"}, {"cpu_per_million", "CPU"}, {"kib_per_connection", "memory"}, {"wire_per_tick", "bytes"},
}

// describeMany tells what each kind of choice is worth at most, and what each contrast showed.
func (r *Report) describeMany() {
	var parts []string
	for _, t := range topics {
		if text := r.worth(t); text != "" {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		return
	}
	r.Headline = r.load() + ": " + strings.Join(parts, "; ") + "."
	r.findFigures(true)
	r.findComplete()
	r.findLeftOut()
}

// worth is such as "the protocol changes the server's CPU by up to 22 %, bytes by up to 25 %". Empty when no contrast of
// the topic could be judged.
func (r *Report) worth(t Topic) string {
	var by []string
	judged := false
	for _, p := range prices {
		share, ok := r.most(t, p.key)
		judged = judged || ok
		switch {
		case share >= 1:
			by = append(by, fmt.Sprintf("%s by a factor of up to %s", p.name, number(share+1, 1)))
		case share > 0:
			by = append(by, fmt.Sprintf("%s by up to %s", p.name, percent(share)))
		}
	}
	what := "the " + string(t)
	if t == AboutNothing {
		what = "asking twice for the same"
	}
	switch {
	case !judged:
		return ""
	case len(by) == 0:
		return what + " changes nothing that stands out from the noise"
	}
	return what + " changes " + strings.Join(by, ", ")
}

// percent rounds as far as a share of this size means something.
func percent(share float64) string {
	d := 0
	if share < 0.0995 {
		d = 1
	}
	return number(share*100, d) + " %"
}

// excess is such as "22 % more", or "3.1 times as much".
func excess(share float64) string {
	if share >= 1 {
		return number(share+1, 1) + " times as much"
	}
	return percent(share) + " more"
}

// findContrasts says what each contrast showed, in a sentence for each.
func (r *Report) findContrasts(latency bool) {
	for _, c := range r.Contrasts {
		a, b := c.sides()
		var said []string
		for _, p := range prices {
			if !latency && strings.HasPrefix(p.key, "latency_") {
				continue
			}
			said = append(said, p.name+" "+r.told(c, p.key))
		}
		r.Findings = append(r.Findings, fmt.Sprintf("%s, %s against %s: %s.", c.About.title(), r.Sides[a].Name, r.Sides[b].Name, strings.Join(said, "; ")))
	}
}

// title is what a table calls a topic.
func (t Topic) title() string {
	switch t {
	case AboutNothing:
		return "The same twice"
	}
	return "The " + string(t)
}

// heading is what the contrasts of a topic show.
func (t Topic) heading() string {
	switch t {
	case AboutProtocol:
		return "What the protocol costs: the same engine on both lanes"
	case AboutEngine:
		return "What the implementation costs: the same lane with two engines"
	case AboutEncoding:
		return "What the encoding costs"
	case AboutCompression:
		return "What compression costs"
	}
	return "The same twice: what chance and the machine do"
}

// told is such as "13.4 against 11.0 s, 22 % more".
func (r *Report) told(c Contrast, key string) string {
	a, b := c.sides()
	m, x := r.metric(key), c.metric(key)
	va, vb := m.of(a), m.of(b)
	if va.Count == 0 || vb.Count == 0 {
		return "not measured"
	}
	d := max(decimals(va.Median), decimals(vb.Median))
	text := fmt.Sprintf("%s against %s", number(va.Median, d), number(vb.Median, d))
	if m.Unit != "" {
		text += " " + m.Unit
	}
	switch x.Verdict {
	case Higher, Lower:
		share, higher := r.more(c, key)
		if higher == a {
			return fmt.Sprintf("%s (%s)", text, excess(share))
		}
		return fmt.Sprintf("%s (%s less)", text, percent(1-va.Median/vb.Median))
	case NoDifference:
		return text + " (no difference)"
	}
	return fmt.Sprintf("%s (%s)", text, x.Verdict)
}

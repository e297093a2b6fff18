package report

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ticklane/internal/nearest"
)

// Threshold bounds a figure of every variant, or of those in its scope.
type Threshold struct {
	Text     string            `json:"threshold"`       // as it was given
	Scope    string            `json:"scope,omitempty"` // a lane or the letter of a variant; empty: all
	Figure   string            `json:"figure"`          // its key
	Operator string            `json:"operator"`        // one of < <= == >= >
	Limit    float64           `json:"limit"`           // in Unit
	Unit     string            `json:"unit"`            // of the figure
	Held     bool              `json:"held"`            // by all of Results
	Results  []ThresholdResult `json:"results"`
}

// ThresholdResult is the figure of one variant. One that was not measured breaks its threshold.
type ThresholdResult struct {
	Variant string   `json:"variant"` // its letter
	Value   *float64 `json:"value"`
	Held    bool     `json:"held"`
	Reason  string   `json:"reason,omitempty"` // why nothing was measured
}

// operators compare a figure with a limit.
var operators = map[string]func(v, limit float64) bool{
	"<":  func(v, limit float64) bool { return v < limit },
	"<=": func(v, limit float64) bool { return v <= limit },
	"==": func(v, limit float64) bool { return v == limit },
	">=": func(v, limit float64) bool { return v >= limit },
	">":  func(v, limit float64) bool { return v > limit },
}

// units are what a limit may be given in, by the unit of the figure, with the factor to it. The first is its own.
var units = map[string][]struct {
	name   string
	factor float64
}{
	"ms":  {{"ms", 1}, {"us", 1e-3}, {"µs", 1e-3}, {"s", 1e3}},
	"s":   {{"s", 1}, {"ms", 1e-3}},
	"KiB": {{"KiB", 1}, {"B", 1.0 / 1024}, {"MiB", 1024}},
	"B":   {{"B", 1}, {"KiB", 1024}},
	"%":   {{"%", 1}},
	"":    {},
}

// thresholdPattern is [scope:]figure operator number[unit]. The operator may be wrong, so that the error can name it.
var thresholdPattern = regexp.MustCompile(`^\s*(?:([^:<>=!]*):)?([^:<>=!]*)([<>=!]+)\s*(\S*?)\s*([^\d\s.+-]*)\s*$`)

const thresholdSyntax = "want such as latency_p99<20ms, lost==0 or ws:reconnect_p99<1s: a figure, one of < <= == >= >, a number and its unit"

// ParseThreshold parses [lane:|letter:]figure operator number[unit] for reports of a kind.
func ParseThreshold(text, kind string) (Threshold, error) {
	m := thresholdPattern.FindStringSubmatch(text)
	if m == nil {
		return Threshold{}, fmt.Errorf("no operator; %s", thresholdSyntax)
	}
	t := Threshold{Text: strings.TrimSpace(text), Scope: strings.TrimSpace(m[1]), Figure: strings.TrimSpace(m[2]), Operator: m[3]}
	f, ok := figureOf(kind, t.Figure)
	if !ok {
		return t, unknownFigure(t.Figure, kind)
	}
	if operators[t.Operator] == nil {
		return t, fmt.Errorf("operator %s; want one of < <= == >= >", t.Operator)
	}
	limit, err := strconv.ParseFloat(m[4], 64)
	if err != nil || math.IsInf(limit, 0) || math.IsNaN(limit) || strings.ContainsAny(m[4], "xXpP_") {
		return t, fmt.Errorf("limit %q; %s", m[4]+m[5], thresholdSyntax)
	}
	t.Limit, t.Unit = limit, f.unit
	if m[5] == "" {
		return t, nil
	}
	var names []string
	for _, u := range units[f.unit] {
		if u.name == m[5] {
			t.Limit *= u.factor
			return t, nil
		}
		names = append(names, u.name)
	}
	if len(names) == 0 {
		return t, fmt.Errorf("unit %s; %s has none", m[5], f.key)
	}
	return t, fmt.Errorf("unit %s; %s is in %s", m[5], f.key, strings.Join(names, ", "))
}

// unknownFigure returns the error of a key that reports of a kind don't have.
func unknownFigure(key, kind string) error {
	known := FigureKeys(kind)
	suggested, ok := nearest.Name(key, known)
	if k := slices.IndexFunc(known, func(name string) bool { return strings.HasSuffix(name, "_"+key) }); !ok && k >= 0 {
		suggested, ok = known[k], true
	}
	hint := ""
	if ok {
		hint = "did you mean " + suggested + "? "
	}
	return fmt.Errorf("unknown figure %q; %sThe figures of a %s are %s", key, hint, kind, strings.Join(known, ", "))
}

// Applies reports whether the threshold bounds a variant.
func (t *Threshold) Applies(v Variant) bool {
	return t.Scope == "" || strings.EqualFold(t.Scope, v.Variant) || t.Scope == v.Lane
}

// judgeThresholds compares the thresholds with the figures.
func (r *Report) judgeThresholds() {
	for i := range r.Thresholds {
		t := &r.Thresholds[i]
		f, _ := figureOf(r.Kind, t.Figure)
		t.Held, t.Results = true, nil
		for k, variant := range r.Variants {
			if !t.Applies(variant) {
				continue
			}
			result := ThresholdResult{Variant: variant.Variant}
			if v, missing := r.measure(f, k); missing != "" {
				result.Reason = missing
			} else {
				result.Value, result.Held = &v, operators[t.Operator](v, t.Limit)
			}
			t.Held = t.Held && result.Held
			t.Results = append(t.Results, result)
		}
	}
}

// BrokenThresholds describes the thresholds that are broken, each with the variants that break it. Why one was not measured
// is in the table.
func (r *Report) BrokenThresholds() []string {
	var all []string
	for _, t := range r.Thresholds {
		if t.Held {
			continue
		}
		var by []string
		for _, result := range t.Results {
			if !result.Held {
				by = append(by, r.Variants[index(result.Variant)].Name+" "+t.show(result))
			}
		}
		all = append(all, fmt.Sprintf("%s (%s)", t.Text, strings.Join(by, ", ")))
	}
	return all
}

// findThresholds adds whether the thresholds are held.
func (r *Report) findThresholds() {
	broken := r.BrokenThresholds()
	switch n := len(r.Thresholds); {
	case n == 0:
	case len(broken) == 0 && n == 1:
		r.Findings = append(r.Findings, "The threshold is held.")
	case len(broken) == 0:
		r.Findings = append(r.Findings, fmt.Sprintf("All %d thresholds are held.", n))
	case n == 1:
		r.Findings = append(r.Findings, fmt.Sprintf("The threshold is broken: %s.", broken[0]))
	case len(broken) == 1:
		r.Findings = append(r.Findings, fmt.Sprintf("1 of %d thresholds is broken: %s.", n, broken[0]))
	default:
		r.Findings = append(r.Findings, fmt.Sprintf("%d of %d thresholds are broken: %s.", len(broken), n, strings.Join(broken, "; ")))
	}
}

// show returns the figure of a result with its unit.
func (t *Threshold) show(result ThresholdResult) string {
	if result.Value == nil {
		return "not measured"
	}
	text := exactly(*result.Value, t.Limit)
	if t.Unit != "" {
		text += " " + t.Unit
	}
	return text
}

// reasons returns why variants were not measured, each reason once with the names of its variants.
func (r *Report) reasons(t Threshold) []string {
	var order []string
	names := make(map[string][]string)
	for _, result := range t.Results {
		if result.Reason == "" {
			continue
		}
		if names[result.Reason] == nil {
			order = append(order, result.Reason)
		}
		names[result.Reason] = append(names[result.Reason], r.Variants[index(result.Variant)].Name)
	}
	for k, reason := range order {
		order[k] = strings.Join(names[reason], ", ") + " not measured: " + reason
	}
	return order
}

// exactly formats v with as many decimals as show on which side of limit it is.
func exactly(v, limit float64) string {
	d := decimals(v)
	if v == math.Trunc(v) {
		d = 0
	}
	for ; d < 9; d++ {
		shown, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'f', d, 64), 64)
		if (shown < limit) == (v < limit) && (shown > limit) == (v > limit) {
			break
		}
	}
	return number(v, d)
}

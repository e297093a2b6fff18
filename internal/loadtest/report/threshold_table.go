package report

import (
	"strings"
	"unicode/utf8"
)

// thresholdColumns are the widths of the result and of the threshold in the table.
const (
	thresholdResultWidth = 8
	thresholdTextWidth   = 30
)

// thresholdTable has a line for each threshold, with the figure of each variant that it bounds.
func (r *Report) thresholdTable(b *strings.Builder) {
	if len(r.Thresholds) == 0 {
		return
	}
	indent := strings.Repeat(" ", thresholdResultWidth+thresholdTextWidth)
	b.WriteString("\n" + row([]int{thresholdResultWidth, 0}, []string{"", "threshold"}) + "\n" + rule + "\n")
	for _, t := range r.Thresholds {
		line := pad(t.result(), thresholdResultWidth) + pad(t.Text, thresholdTextWidth)
		if utf8.RuneCountInString(t.Text) >= thresholdTextWidth {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent
		}
		for _, text := range wrap(strings.Join(r.thresholdFigures(t), "; "), tableWidth-len(indent)) {
			b.WriteString(line + text + "\n")
			line = indent
		}
	}
	b.WriteString(rule + "\n")
}

// result returns "held" or "BROKEN", which is found at a glance in the log of a build.
func (t *Threshold) result() string {
	if t.Held {
		return "held"
	}
	return "BROKEN"
}

// thresholdFigures returns the figure of each variant that a threshold bounds, then why others were not measured. Those that
// break it have a mark if others don't.
func (r *Report) thresholdFigures(t Threshold) []string {
	var all []string
	for _, result := range t.Results {
		if result.Value == nil {
			continue
		}
		text := r.Variants[index(result.Variant)].Name + " " + t.show(result)
		if !result.Held && len(t.Results) > 1 {
			text = "✗ " + text
		}
		all = append(all, text)
	}
	return append(all, r.reasons(t)...)
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

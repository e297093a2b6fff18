package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"ticklane/internal/loadtest/stats"
)

// tableWidth is the most columns that a line takes.
const tableWidth = 100

var rule = strings.Repeat("─", tableWidth)

// WriteTable writes the report for a terminal, in lines of at most 100 columns.
func (r *Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	b.WriteByte('\n')
	for _, line := range wrap(r.Headline, tableWidth) {
		b.WriteString(line + "\n")
	}
	switch {
	case !slices.ContainsFunc(r.Metrics, Metric.measured):
	case len(r.Variants) > 2:
		r.variantTable(&b)
		r.pairwiseTable(&b)
	default:
		r.metricTable(&b)
	}
	if len(r.Drills) > 0 {
		r.drillTable(&b)
	}
	r.baselineTable(&b)
	r.thresholdTable(&b)
	b.WriteByte('\n')
	for _, f := range r.Findings {
		for k, line := range wrap(f, tableWidth-2) {
			b.WriteString([]string{"· ", "  "}[min(k, 1)] + line + "\n")
		}
	}
	for _, line := range wrap(r.generatorText(), tableWidth-2) {
		b.WriteString("  " + line + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// metricColumns are the widths of the table of one or two variants.
var metricColumns = []int{24, 20, 20, 15, 6, 14}

func (r *Report) metricTable(b *strings.Builder) {
	two := len(r.Variants) == 2
	heads := []string{"median (min–max)", r.Variants[0].Name}
	if two {
		heads = []string{"median (min–max)", "A " + r.Variants[0].Name, "B " + r.Variants[1].Name, "A − B, 95 %", "noise", ""}
	}
	columns := metricColumns
	b.WriteString("\n" + headRows(columns, heads) + rule + "\n")
	for _, m := range r.Metrics {
		d := m.digits()
		cells := []string{m.label(), fitRange(m.A, d, columns[1]-1)}
		if two {
			noise := "–"
			if m.Noise.Count > 0 {
				if noise = number(m.Noise.Max, d); len(noise) >= columns[4] {
					noise = compact(m.Noise.Max)
				}
			}
			cells = append(cells, fitRange(m.B, d, columns[2]-1), fitInterval(m.Difference, d, columns[3]-1), noise, r.verdictText(m))
		}
		b.WriteString(row(columns, cells) + "\n")
	}
	b.WriteString(rule + "\n")
}

// verdictText returns the verdict on a figure of two variants, or which of them doesn't have it.
// It is empty if the headline says that one of them failed.
func (r *Report) verdictText(m Metric) string {
	switch {
	case len(r.failedVariants()) > 0 && (m.A.Count == 0 || m.B.Count == 0):
		return ""
	case m.A.Count == 0 && m.B.Count == 0:
		return "not measured"
	case m.A.Count == 0:
		return "A not measured"
	case m.B.Count == 0:
		return "B not measured"
	}
	return string(m.Verdict)
}

// variantTable has a column for each variant: a median, with the smallest and largest value if they fit.
func (r *Report) variantTable(b *strings.Builder) {
	width := 74 / len(r.Variants)
	widths, heads := []int{tableWidth - len(r.Variants)*width}, []string{"median of valid windows"}
	for _, v := range r.Variants {
		widths, heads = append(widths, width), append(heads, v.Variant+" "+v.Name)
	}
	widths = append(widths, 0)
	b.WriteString("\n" + headRows(widths, heads) + rule + "\n")
	for _, m := range r.Metrics {
		cells := []string{m.label()}
		for k := range r.Variants {
			x, d := m.of(k), m.digits()
			text := fitRange(x, d, width-2)
			if utf8.RuneCountInString(text) > width-2 {
				if text = number(x.Median, d); len(text) > width-2 {
					text = compact(x.Median)
				}
			}
			cells = append(cells, text)
		}
		b.WriteString(row(widths, cells) + "\n")
	}
	b.WriteString(rule + "\n")
}

// pairwiseTable has a row for each pair and a column for each cost.
func (r *Report) pairwiseTable(b *strings.Builder) {
	if len(r.Pairwise) == 0 {
		return
	}
	widths, heads := []int{24}, []string{"mean A − B, 95 %"}
	for _, c := range costs {
		head := c.name
		if unit := r.metric(c.key).Unit; unit != "" {
			head += ", " + unit
		}
		widths, heads = append(widths, 15), append(heads, head)
	}
	widths = append(widths, 0)
	last := Topic("")
	for _, p := range r.Pairwise {
		if p.About != last {
			b.WriteString("\n")
			if last == "" {
				b.WriteString(headRows(widths, heads))
			}
			b.WriteString(p.About.heading() + "\n" + rule + "\n")
			last = p.About
		}
		cells := []string{"  " + p.A + " − " + p.B + r.common(p)}
		for _, c := range costs {
			x, mark := p.metric(c.key), "  "
			if x.Verdict == stats.Higher || x.Verdict == stats.Lower {
				mark = " *"
			}
			cells = append(cells, fitInterval(x.Difference, r.metric(c.key).digits(), widths[1]-3)+mark)
		}
		b.WriteString(row(widths, cells) + "\n")
	}
	noise := []string{"noise, all variants"}
	for _, c := range costs {
		m, text := r.metric(c.key), "–"
		if m.Noise.Count > 0 {
			text = number(m.Noise.Max, m.digits())
		}
		noise = append(noise, text+"  ")
	}
	b.WriteString(rule + "\n" + row(widths, noise) + "\n* a difference: its interval excludes zero, and it is larger than the noise\n")
}

// common returns what both variants of a pair have in common, such as ", ws".
func (r *Report) common(p Pairwise) string {
	a, _ := p.variants()
	switch p.About {
	case AboutEngine:
		return ", " + r.Variants[a].Lane
	case AboutProtocol:
		return ", " + r.Variants[a].Engine
	}
	return ""
}

// headRows returns the heads of a table, in several lines if they are wider than their columns.
func headRows(widths []int, heads []string) string {
	lines, height := make([][]string, len(heads)), 1
	for k, h := range heads {
		lines[k] = wrap(h, max(1, widths[k]-2))
		height = max(height, len(lines[k]))
	}
	var b strings.Builder
	for at := range height {
		cells := make([]string, len(heads))
		for k, l := range lines {
			if from := at - (height - len(l)); from >= 0 { // aligned to the bottom
				cells[k] = l[from]
			}
		}
		b.WriteString(row(widths, cells) + "\n")
	}
	return b.String()
}

// row returns a line of a table. All columns but the first and the last are right-aligned.
func row(widths []int, cells []string) string {
	var b strings.Builder
	for k, c := range cells {
		fill := strings.Repeat(" ", max(0, widths[k]-utf8.RuneCountInString(c)))
		switch {
		case k == 0:
			b.WriteString(c + fill)
		case k == len(widths)-1 && c != "":
			b.WriteString(" " + c)
		case k == len(widths)-1:
		default:
			b.WriteString(fill + c)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

func (r *Report) drillTable(b *strings.Builder) {
	line := func(label string, cell func(*Drill) string) {
		fmt.Fprintf(b, "%-32s", label)
		for _, d := range r.Drills {
			fmt.Fprintf(b, "%32s", cell(d))
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	line("", func(d *Drill) string { return d.Name })
	b.WriteString(rule + "\n")
	for _, f := range drillRows(r.drill()) {
		line(f.label, f.cell)
	}
	b.WriteString(rule + "\n")
}

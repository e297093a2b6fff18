package loadtest

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// tableWidth is the most columns that a table takes.
const tableWidth = 100

// WriteTable writes the report for a terminal, no line longer than 100 columns.
func (r *Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	b.WriteByte('\n')
	for _, line := range wrap(r.Headline, tableWidth) {
		b.WriteString(line + "\n")
	}
	switch {
	case !slices.ContainsFunc(r.Metrics, Metric.measured):
	case len(r.Sides) > 2:
		r.sideTable(&b)
		r.contrastTable(&b)
	default:
		r.metricTable(&b)
	}
	switch {
	case len(r.Drills) > 0:
		r.drillTable(&b)
	}
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

func (r *Report) metricTable(b *strings.Builder) {
	two := len(r.Sides) == 2
	heads := []string{"median (min–max)", r.Sides[0].Name}
	rule := strings.Repeat("─", tableWidth)
	if two {
		heads = []string{"median (min–max)", "A " + r.Sides[0].Name, "B " + r.Sides[1].Name, "A − B, 95 %", "noise", ""}
	}
	b.WriteString("\n" + headRows(columns, heads) + rule + "\n")
	for _, m := range r.Metrics {
		d := m.digits()
		cells := []string{m.label(), m.A.narrow(d, columns[1]-1)}
		if two {
			noise := "–"
			if m.Noise.Count > 0 {
				if noise = number(m.Noise.Max, d); len(noise) >= columns[4] {
					noise = compact(m.Noise.Max)
				}
			}
			verdict := string(m.Verdict)
			switch {
			case m.A.Count == 0 && m.B.Count == 0:
				verdict = "not measured"
			case m.A.Count == 0 || m.B.Count == 0:
				verdict = "" // one side has it
			}
			cells = append(cells, m.B.narrow(d, columns[2]-1), m.Difference.narrow(d, columns[3]-1), noise, verdict)
		}
		b.WriteString(row(columns, cells) + "\n")
	}
	b.WriteString(rule + "\n")
}

// sideTable has a column for each side: a median, with the smallest and the largest where there is room.
func (r *Report) sideTable(b *strings.Builder) {
	widths, heads := []int{tableWidth - len(r.Sides)*(74/len(r.Sides))}, []string{"median of the valid turns"}
	for _, s := range r.Sides {
		widths, heads = append(widths, 74/len(r.Sides)), append(heads, s.Side+" "+s.Name)
	}
	widths = append(widths, 0)
	rule := strings.Repeat("─", tableWidth)
	b.WriteString("\n" + headRows(widths, heads) + rule + "\n")
	for _, m := range r.Metrics {
		cells := []string{m.label()}
		for k := range r.Sides {
			x, d := m.of(k), m.digits()
			text := x.narrow(d, widths[1]-2)
			if utf8.RuneCountInString(text) > widths[1]-2 {
				if text = number(x.Median, d); len(text) > widths[1]-2 {
					text = compact(x.Median)
				}
			}
			cells = append(cells, text)
		}
		b.WriteString(row(widths, cells) + "\n")
	}
	b.WriteString(rule + "\n")
}

// contrastTable has a row for each contrast, and a column for each price.
func (r *Report) contrastTable(b *strings.Builder) {
	if len(r.Contrasts) == 0 {
		return
	}
	widths, heads := []int{24}, []string{"mean A − B, 95 %"}
	for _, p := range prices {
		m := r.metric(p.key)
		head := p.name
		if m.Unit != "" {
			head += ", " + m.Unit
		}
		widths, heads = append(widths, 15), append(heads, head)
	}
	widths = append(widths, 0)
	rule := strings.Repeat("─", tableWidth)
	last := Topic("")
	for _, c := range r.Contrasts {
		if c.About != last {
			b.WriteString("\n")
			if last == "" {
				b.WriteString(headRows(widths, heads))
			}
			b.WriteString(c.About.heading() + "\n" + rule + "\n")
			last = c.About
		}
		cells := []string{"  " + c.A + " − " + c.B + r.common(c)}
		for _, p := range prices {
			x, mark := c.metric(p.key), "  "
			if x.Verdict == Higher || x.Verdict == Lower {
				mark = " *"
			}
			cells = append(cells, x.Difference.narrow(r.metric(p.key).digits(), widths[1]-3)+mark)
		}
		b.WriteString(row(widths, cells) + "\n")
	}
	noise := []string{"noise, all sides"}
	for _, p := range prices {
		m := r.metric(p.key)
		text := "–"
		if m.Noise.Count > 0 {
			text = number(m.Noise.Max, m.digits())
		}
		noise = append(noise, text+"  ")
	}
	b.WriteString(rule + "\n" + row(widths, noise) + "\n* stands out: its interval leaves out zero, and it is larger than the noise\n")
}

// common is what both sides of a contrast are, such as ", ws".
func (r *Report) common(c Contrast) string {
	a, b := c.sides()
	x, y := r.Sides[a], r.Sides[b]
	switch {
	case c.About == AboutEngine:
		return ", " + x.Lane
	case c.About == AboutProtocol && x.Engine == y.Engine:
		return ", " + x.Engine
	case c.About == AboutProtocol:
		return ", " + x.Engine + " and " + y.Engine
	}
	return ""
}

// headRows writes heads that are wider than their columns in several lines.
func headRows(widths []int, heads []string) string {
	lines, most := make([][]string, len(heads)), 1
	for k, h := range heads {
		lines[k] = wrap(h, max(1, widths[k]-2))
		most = max(most, len(lines[k]))
	}
	var b strings.Builder
	for at := range most {
		cells := make([]string, len(heads))
		for k, l := range lines {
			if from := at - (most - len(l)); from >= 0 { // at the bottom
				cells[k] = l[from]
			}
		}
		b.WriteString(row(widths, cells) + "\n")
	}
	return b.String()
}

// columns are the widths of the metric table; all but the first and the last are right-aligned.
var columns = []int{24, 20, 20, 15, 6, 14}

func row(columns []int, cells []string) string {
	var b strings.Builder
	for k, c := range cells {
		width := columns[k]
		fill := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(c)))
		switch {
		case k == 0:
			b.WriteString(c + fill)
		case k == len(columns)-1 && c != "":
			b.WriteString(" " + c)
		case k == len(columns)-1:
		default:
			b.WriteString(fill + c)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

func (r *Report) drillTable(b *strings.Builder) {
	rule := strings.Repeat("─", tableWidth)
	line := func(label string, of func(*Drill) string) {
		fmt.Fprintf(b, "%-32s", label)
		for _, d := range r.Drills {
			fmt.Fprintf(b, "%32s", of(d))
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	line("", func(d *Drill) string { return d.Name })
	b.WriteString(rule + "\n")
	for _, f := range drillRows(strings.TrimPrefix(r.Kind, "drill ")) {
		line(f.label, f.of)
	}
	b.WriteString(rule + "\n")
}

// drillRow is one line of a drill's table, in the terminal and in the page.
type drillRow struct {
	label string
	of    func(*Drill) string
}

func drillRows(kind string) []drillRow {
	rows := []drillRow{{"connections", func(d *Drill) string { return count(d.Connections) }}}
	if kind == DrillSlow {
		for k, name := range []string{"before", "stalled", "after"} {
			rows = append(rows, drillRow{"p50 / p99 " + name + ", ms", func(d *Drill) string {
				if k >= len(d.Phases) {
					return "–"
				}
				l := d.Phases[k].Latency
				return number(ms(l.P50), decimals(ms(l.P50))) + " / " + number(ms(l.P99), decimals(ms(l.P99)))
			}})
		}
		rows = append(rows,
			drillRow{"stood still", func(d *Drill) string { return count(d.stuck().Connections) }},
			drillRow{"of them told gaps", func(d *Drill) string { return count(d.stuck().Check.Gaps) }},
			drillRow{"of them disconnected", func(d *Drill) string { return count(d.stuck().Dropped) }})
	} else {
		rows = append(rows,
			drillRow{"cuts", func(d *Drill) string { return count(d.Cuts) }},
			drillRow{"resumed, nothing missing", func(d *Drill) string { return count(d.Resumed) }},
			drillRow{"told a gap", func(d *Drill) string { return count(d.GapTold) }},
			drillRow{"cut again before the hello", func(d *Drill) string { return count(d.Early) }},
			drillRow{"turned away, came again", func(d *Drill) string { return count(d.Refused) }},
			drillRow{"cut → hello, p50 / p99 / max, ms", func(d *Drill) string { return d.Back.show() }},
			drillRow{"cut → all there, ms", func(d *Drill) string { return d.Caught.show() }},
			drillRow{"ticks, of them replayed", func(d *Drill) string { return count(d.Ticks) + ", " + count(d.Replayed) }})
	}
	return append(rows,
		drillRow{"lost", func(d *Drill) string { return count(d.Check.Lost) }},
		drillRow{"doubled", func(d *Drill) string { return count(d.Check.Doubled) }},
		drillRow{"out of order", func(d *Drill) string { return count(d.Check.Disorder) }})
}

func (d *Drill) stuck() Stalled {
	if d.Stalled == nil {
		return Stalled{}
	}
	return *d.Stalled
}

func (r *Recovery) show() string {
	if r == nil {
		return "–"
	}
	return fmt.Sprintf("%s / %s / %s", number(r.P50, decimals(r.P50)), number(r.P99, decimals(r.P99)), number(r.Max, decimals(r.Max)))
}

// generatorText tells what the measuring itself took.
func (r *Report) generatorText() string {
	var share, late []float64
	for _, s := range r.Slots {
		share, late = append(share, s.Generator.CPUShare*100), append(late, ms(s.Generator.Lateness99))
	}
	for _, d := range r.Drills {
		share, late = append(share, d.Generator.CPUShare*100), append(late, ms(d.Generator.Lateness99))
	}
	if len(share) == 0 {
		return ""
	}
	c, l := rangeOf(share), rangeOf(late)
	return fmt.Sprintf("The generator took %s %% of the machine's %d processors, and its own timer was late by %s ms (p99; medians).",
		number(c.Median, 0), r.Machine.Cores, number(l.Median, decimals(l.Median)))
}

// wrap breaks a text between words into lines of at most width characters.
func wrap(text string, width int) []string {
	var lines []string
	line, n := "", 0
	for word := range strings.FieldsSeq(text) {
		w := utf8.RuneCountInString(word)
		if n > 0 && n+1+w > width {
			lines = append(lines, line)
			line, n = "", 0
		}
		if n > 0 {
			line, n = line+" ", n+1
		}
		line, n = line+word, n+w
	}
	if n > 0 {
		lines = append(lines, line)
	}
	return lines
}

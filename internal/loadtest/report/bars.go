package report

import (
	"html/template"
	"slices"
	"unicode/utf8"

	"ticklane/internal/loadtest/stats"
)

// bar is one variant in a bar plot.
type bar struct {
	name  string
	tone  tone
	value stats.Range
	base  *stats.Range // of a bar in two parts: the darker one
}

// bars returns a figure of each variant. More than two are ordered by engine, so that those that may be compared are next
// to each other.
func (r *Report) bars(key string) []bar {
	m := r.metric(key)
	t := tones(r.Variants)
	var all []bar
	for _, k := range r.byEngine() {
		all = append(all, bar{name: r.Variants[k].Name, tone: t[k], value: m.of(k)})
	}
	return all
}

// byEngine returns the indexes of the variants, of more than two grouped by engine.
func (r *Report) byEngine() []int {
	first := make(map[string]int)
	for k, v := range r.Variants {
		if _, seen := first[v.Engine]; !seen {
			first[v.Engine] = k
		}
	}
	var order []int
	for k := range r.Variants {
		order = append(order, k)
	}
	if len(r.Variants) > 2 {
		slices.SortStableFunc(order, func(a, b int) int { return first[r.Variants[a].Engine] - first[r.Variants[b].Engine] })
	}
	return order
}

func (r *Report) bytesPlot() template.HTML {
	bars, payload := r.bars("wire_per_tick"), r.metric("payload_per_tick")
	note := "dark: the message itself; light: the framing of the lane"
	for k, variant := range r.byEngine() {
		if r.Variants[variant].compressed() {
			note = "dark: the message itself; light: the framing of the lane; compressed: everything"
			continue
		}
		base := payload.of(variant)
		bars[k].base = &base
	}
	return barPlot("Bytes per tick", "B", bars, note)
}

const barNote = "bar: median of the windows; line: smallest to largest"

func (r *Report) memoryPlot() template.HTML {
	return barPlot("Server memory per connection", "KiB", r.bars("kib_per_connection"), barNote)
}

func (r *Report) cpuPlot() template.HTML {
	return barPlot("Server CPU per million ticks", "s", r.bars("cpu_per_million"), barNote)
}

// barPlot shows one figure of each variant, with the smallest and the largest value.
func barPlot(title string, unit string, bars []bar, note string) template.HTML {
	height := 30 + 44*float64(len(bars)) + 22
	d := newDrawing(plotWidth, height, title)
	largest, longest := 0.0, 0
	for _, b := range bars {
		largest, longest = max(largest, b.value.Max), max(longest, utf8.RuneCountInString(b.name))
	}
	if largest <= 0 {
		return ""
	}
	left := max(plotLeft+76, 7*float64(longest)+12) // the names are to the left of the bars
	x := scale{from: 0, to: largest * 1.05, a: left, b: plotRight - 84}
	for k, b := range bars {
		y := 18 + 44*float64(k)
		mid := y + 12
		d.text(left-10, mid+4, "end", b.name, `class="name"`)
		if b.value.Count == 0 {
			d.text(x.at(0)+8, mid+4, "start", "not measured", quiet)
			continue
		}
		dark := b.value.Median
		if b.base != nil {
			d.rect(x.at(0), y, x.at(b.value.Median)-x.at(0), 24, b.tone.fill(0.45))
			dark = b.base.Median
		}
		d.rect(x.at(0), y, x.at(dark)-x.at(0), 24, b.tone.fill(0.9))
		if w := x.at(b.value.Max) - x.at(b.value.Min); w > 1.5 {
			const whisker = `class="whisker" stroke="currentColor" stroke-opacity="0.75"`
			d.line(x.at(b.value.Min), mid, x.at(b.value.Max), mid, whisker)
			d.line(x.at(b.value.Min), mid-5, x.at(b.value.Min), mid+5, whisker)
			d.line(x.at(b.value.Max), mid-5, x.at(b.value.Max), mid+5, whisker)
		}
		d.text(plotRight, mid+4, "end", number(b.value.Median, decimals(b.value.Median))+" "+unit, `class="value"`)
	}
	d.line(x.at(0), 10, x.at(0), 18+44*float64(len(bars))-10, grid)
	// A long note starts further left.
	d.text(max(0, min(left, plotRight-6*float64(utf8.RuneCountInString(note)))), height-8, "start", note, quiet)
	return d.end()
}

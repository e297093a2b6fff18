package loadtest

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	plotWidth  = 540
	plotHeight = 280
	plotLeft   = 48
	plotRight  = 526
	plotTop    = 16
	plotBottom = 246
)

// percentiles are where the latency plot looks: evenly spaced on its axis, 1/(1 − p).
var percentiles = func() (all []float64) {
	for x := 0.0; x <= 4.0001; x += 0.1 {
		all = append(all, 100*(1-math.Pow(10, -x)))
	}
	return all
}()

// latencyPlot shows latency by percentile, both axes logarithmic, so that the tail takes as much room as the middle:
// the line is all valid slots together, the band reaches from the best slot to the worst.
func (r *Report) latencyPlot() (template.HTML, error) {
	d := newDrawing(plotWidth, plotHeight, "Latency by percentile")
	lines, low, high, err := r.curves()
	if err != nil || len(lines) == 0 {
		return "", err
	}
	x := scale{from: 0, to: 4, a: plotLeft, b: plotRight}
	y := logScale(ms(low), ms(high), plotBottom, plotTop)
	d.yAxis(y, plotLeft, plotRight)
	for k, name := range []string{"0 %", "90 %", "99 %", "99.9 %", "99.99 %"} {
		at := x.at(float64(k))
		d.line(at, plotTop, at, plotBottom, grid)
		anchor := "middle"
		if k == 4 {
			anchor = "end"
		}
		d.text(at, plotBottom+16, anchor, name, quiet)
	}
	colour := tones(r.Sides)
	for _, c := range lines {
		var line, band [][2]float64
		for k := range c.all {
			at := x.at(float64(k) / 10)
			line = append(line, [2]float64{at, y.at(ms(max(1, c.all[k])))})
			band = append(band, [2]float64{at, y.at(ms(max(1, c.high[k])))})
		}
		for k := len(c.low) - 1; k >= 0; k-- {
			band = append(band, [2]float64{x.at(float64(k) / 10), y.at(ms(max(1, c.low[k])))})
		}
		d.path(band, true, colour[c.side].fill(0.16))
		// The first line is the wider one, so that it can be seen under a second one that is the same.
		width := ` stroke-width="3.2" stroke-opacity="0.75"`
		if c.side > 0 {
			width = ` stroke-width="1.6"`
		}
		d.path(line, false, colour[c.side].stroke()+` fill="none"`+width)
	}
	d.text(plotLeft, plotBottom+32, "start", "share of all ticks that were at least as fast", quiet)
	return d.end(), nil
}

// curve is one side's latency in µs at each of percentiles.
type curve struct {
	side           int
	all, low, high []int64
}

func (r *Report) curves() (lines []curve, low, high int64, err error) {
	low = math.MaxInt64
	for side := range r.Sides {
		sum := newHistogram()
		c := curve{side: side}
		for _, s := range r.Slots {
			if s.Side != sideName(side) || !s.Valid {
				continue
			}
			h, err := s.Latency.Decode()
			if err != nil {
				return nil, 0, 0, err
			}
			sum.Merge(h)
			v := at(h)
			if c.low == nil {
				c.low, c.high = slices.Clone(v), slices.Clone(v)
			}
			for k := range v {
				c.low[k], c.high[k] = min(c.low[k], v[k]), max(c.high[k], v[k])
			}
		}
		if sum.TotalCount() == 0 {
			continue
		}
		c.all = at(sum)
		low, high = min(low, slices.Min(c.low)), max(high, slices.Max(c.high))
		lines = append(lines, c)
	}
	return lines, max(1, low), high, nil
}

func at(h *hdrhistogram.Histogram) []int64 {
	v := make([]int64, len(percentiles))
	for k, p := range percentiles {
		v[k] = h.ValueAtPercentile(p)
	}
	return v
}

// roundsPlot shows each slot in the order of measuring: p50 as a full dot, p99 as a ring.
func (r *Report) roundsPlot() template.HTML {
	d := newDrawing(plotWidth, plotHeight, "Latency of each slot, in the order of measuring")
	low, high := math.Inf(1), 0.0
	for _, s := range r.Slots {
		if s.Valid {
			low, high = min(low, ms(max(1, s.Latency.P50))), max(high, ms(s.Latency.P99))
		}
	}
	if high == 0 {
		return ""
	}
	y := logScale(low, high, plotBottom, plotTop)
	d.yAxis(y, plotLeft, plotRight)
	colour := tones(r.Sides)
	step := (plotRight - plotLeft) / float64(len(r.Slots))
	for k, s := range r.Slots {
		x := plotLeft + step*(float64(k)+0.5)
		if k == 0 || r.Slots[k-1].Round != s.Round {
			turns := float64(len(r.Sides))
			d.text(x+step*(turns-1)/2, plotBottom+16, "middle", fmt.Sprint(s.Round), quiet)
			if k > 0 {
				d.line(x-step/2, plotTop, x-step/2, plotBottom, grid)
			}
		}
		if !s.Valid {
			d.text(x, plotBottom-6, "middle", "✕", quiet)
			continue
		}
		t := colour[s.Side[0]-'A']
		top, bottom := y.at(ms(s.Latency.P99)), y.at(ms(max(1, s.Latency.P50)))
		d.line(x, top, x, bottom, t.stroke()+` stroke-width="1.5"`)
		d.circle(x, bottom, 4, t.fill(1))
		d.circle(x, top, 3.2, t.stroke()+` fill="none" stroke-width="1.5"`)
	}
	d.text(plotLeft, plotBottom+32, "start", "round; ● p50, ○ p99, ✕ left out", quiet)
	return d.end()
}

// bar is one side's in a bar plot: its median, what of it is a lighter part, and its spread.
type bar struct {
	name       string
	tone       tone
	value, top Range // top: median of the darker base, when it has two parts
	parts      bool
}

// barsPlot shows one figure of each side with the slots' smallest and largest.
func barsPlot(title string, unit string, bars []bar, note string) template.HTML {
	height := 30 + 44*float64(len(bars)) + 22
	d := newDrawing(plotWidth, height, title)
	most := 0.0
	for _, b := range bars {
		most = max(most, b.value.Max)
	}
	if most <= 0 {
		return ""
	}
	longest := 0
	for _, b := range bars {
		longest = max(longest, utf8.RuneCountInString(b.name))
	}
	left := max(plotLeft+76, 7*float64(longest)+12) // of the bars; the names stand before
	x := scale{from: 0, to: most * 1.05, a: left, b: plotRight - 84}
	for k, b := range bars {
		y := 18 + 44*float64(k)
		mid := y + 12
		d.text(left-10, mid+4, "end", b.name, `class="name"`)
		base := b.value.Median
		if b.parts {
			d.rect(x.at(0), y, x.at(b.value.Median)-x.at(0), 24, b.tone.fill(0.45))
			base = b.top.Median
		}
		d.rect(x.at(0), y, x.at(base)-x.at(0), 24, b.tone.fill(0.9))
		if w := x.at(b.value.Max) - x.at(b.value.Min); w > 1.5 {
			const whisker = `class="whisker" stroke="currentColor" stroke-opacity="0.75"`
			d.line(x.at(b.value.Min), mid, x.at(b.value.Max), mid, whisker)
			d.line(x.at(b.value.Min), mid-5, x.at(b.value.Min), mid+5, whisker)
			d.line(x.at(b.value.Max), mid-5, x.at(b.value.Max), mid+5, whisker)
		}
		d.text(plotRight, mid+4, "end", number(b.value.Median, decimals(b.value.Median))+" "+unit, `class="value"`)
	}
	d.line(x.at(0), 10, x.at(0), 18+44*float64(len(bars))-10, grid)
	// Beside long names there isn't room for every note.
	d.text(max(0, min(left, plotRight-6*float64(utf8.RuneCountInString(note)))), height-8, "start", note, quiet)
	return d.end()
}

// bars are the sides' of one figure. Of many sides those that may be compared stand next to each other: by engine.
func (r *Report) bars(key string) []bar {
	m := r.metric(key)
	t := tones(r.Sides)
	var all []bar
	for _, k := range r.byEngine() {
		all = append(all, bar{name: r.Sides[k].Name, tone: t[k], value: m.of(k)})
	}
	return all
}

// byEngine orders the sides so that both lanes of an engine are neighbours, in the order in which the engines come.
func (r *Report) byEngine() []int {
	first := make(map[string]int)
	for k, s := range r.Sides {
		if _, seen := first[s.Engine]; !seen {
			first[s.Engine] = k
		}
	}
	var order []int
	for k := range r.Sides {
		order = append(order, k)
	}
	if len(r.Sides) > 2 {
		slices.SortStableFunc(order, func(a, b int) int { return first[r.Sides[a].Engine] - first[r.Sides[b].Engine] })
	}
	return order
}

func (r *Report) bytesPlot() template.HTML {
	bars, payload := r.bars("wire_per_tick"), r.metric("payload_per_tick")
	note := "full: the message's own bytes; pale: what the lane adds"
	for k, side := range r.byEngine() {
		if bars[k].top = payload.of(side); !r.Sides[side].compressed() {
			bars[k].parts = true
		} else {
			note = "full: the message's own bytes; pale: what the lane adds; compressed: all there is"
		}
	}
	return barsPlot("Bytes per tick", "B", bars, note)
}

func (r *Report) memoryPlot() template.HTML {
	return barsPlot("Server memory per connection", "KiB", r.bars("kib_per_connection"), "bar: median of the slots; line: smallest to largest")
}

func (r *Report) cpuPlot() template.HTML {
	return barsPlot("Server CPU per million ticks", "s", r.bars("cpu_per_million"), "bar: median of the slots; line: smallest to largest")
}

// recoveryPlot shows how many of the cut connections were back after how long.
func (r *Report) recoveryPlot() template.HTML {
	d := newDrawing(plotWidth, plotHeight, "Back after a cut")
	most, last, first := 0, 0.0, math.Inf(1)
	for _, s := range r.Drills {
		if s.Back != nil {
			most, last = max(most, s.Back.Count), max(last, s.Back.Max)
			first = min(first, s.Back.Curve[0].Ms)
		}
	}
	if most == 0 {
		return ""
	}
	x := logScale(max(first, last/1e4), last, plotLeft, plotRight)
	y := scale{from: 0, to: 100, a: plotBottom, b: plotTop}
	d.yAxis(y, plotLeft, plotRight)
	for _, v := range x.ticks() {
		d.line(x.at(v), plotTop, x.at(v), plotBottom, grid)
		d.text(x.at(v), plotBottom+16, "middle", tickText(v), quiet)
	}
	colour := tones(r.Sides)
	for _, s := range r.Drills {
		if s.Back == nil {
			continue
		}
		line := [][2]float64{{plotLeft, y.at(0)}}
		for _, p := range s.Back.Curve {
			line = append(line, [2]float64{max(plotLeft, x.at(p.Ms)), y.at(100 * float64(p.Count) / float64(s.Back.Count))})
		}
		d.path(line, false, colour[s.Side[0]-'A'].stroke()+` fill="none" stroke-width="1.8"`)
	}
	d.text(plotLeft, plotBottom+32, "start", "ms after the cut; % of the connections that are back", quiet)
	return d.end()
}

// phasesPlot shows the others' latency before, while and after some stood still.
func (r *Report) phasesPlot() template.HTML {
	d := newDrawing(plotWidth, plotHeight, "Latency of those that read")
	low, high := math.Inf(1), 0.0
	for _, s := range r.Drills {
		for _, p := range s.Phases {
			low, high = min(low, ms(max(1, p.Latency.P50))), max(high, ms(p.Latency.P99))
		}
	}
	if high == 0 {
		return ""
	}
	y := logScale(low, high, plotBottom, plotTop)
	d.yAxis(y, plotLeft, plotRight)
	colour := tones(r.Sides)
	third := (plotRight - plotLeft) / 3.0
	for k, name := range []string{"before", "some stand still", "after"} {
		d.text(plotLeft+third*(float64(k)+0.5), plotBottom+16, "middle", name, quiet)
		for side, s := range r.Drills {
			if k >= len(s.Phases) {
				continue
			}
			x := plotLeft + third*(float64(k)+0.5) + 24*(float64(side)-float64(len(r.Drills)-1)/2)
			l, t := s.Phases[k].Latency, colour[s.Side[0]-'A']
			d.line(x, y.at(ms(l.P99)), x, y.at(ms(max(1, l.P50))), t.stroke()+` stroke-width="1.5"`)
			d.circle(x, y.at(ms(max(1, l.P50))), 4, t.fill(1))
			d.circle(x, y.at(ms(l.P99)), 3.2, t.stroke()+` fill="none" stroke-width="1.5"`)
		}
	}
	d.text(plotLeft, plotBottom+32, "start", "● p50, ○ p99", quiet)
	return d.end()
}

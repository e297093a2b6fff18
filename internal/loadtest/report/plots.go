package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ticklane/internal/loadtest/stats"
)

// Size and margins of the plots, in SVG units.
const (
	plotWidth  = 540
	plotHeight = 280
	plotLeft   = 48
	plotRight  = 526
	plotTop    = 16
	plotBottom = 246
)

// percentiles are the points of the latency plot, evenly spaced on its axis, which is 1/(1 − p).
var percentiles = func() (all []float64) {
	for x := 0.0; x <= 4.0001; x += 0.1 {
		all = append(all, 100*(1-math.Pow(10, -x)))
	}
	return all
}()

// latencyPlot shows latency by percentile. Both axes are logarithmic, so that the tail gets as much room as the middle.
// The line is all valid windows together; the band reaches from the best window to the worst.
func (r *Report) latencyPlot() (template.HTML, error) {
	d := newDrawing(plotWidth, plotHeight, "Latency by percentile")
	curves, low, high, err := r.latencyCurves()
	if err != nil || len(curves) == 0 {
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
	tone := tones(r.Variants)
	for _, c := range curves {
		var line, band [][2]float64
		for k := range c.all {
			at := x.at(float64(k) / 10)
			line = append(line, [2]float64{at, y.at(ms(max(1, c.all[k])))})
			band = append(band, [2]float64{at, y.at(ms(max(1, c.high[k])))})
		}
		for k := len(c.low) - 1; k >= 0; k-- {
			band = append(band, [2]float64{x.at(float64(k) / 10), y.at(ms(max(1, c.low[k])))})
		}
		d.path(band, true, tone[c.variant].fill(0.16))
		// The first line is wider, so that it stays visible under an equal second one.
		width := ` stroke-width="3.2" stroke-opacity="0.75"`
		if c.variant > 0 {
			width = ` stroke-width="1.6"`
		}
		d.path(line, false, tone[c.variant].stroke()+` fill="none"`+width)
	}
	d.text(plotLeft, plotBottom+32, "start", "share of all ticks that were at least as fast", quiet)
	return d.end(), nil
}

// latencyCurve is the latency of a variant at each of percentiles, in µs.
type latencyCurve struct {
	variant        int
	all, low, high []int64 // of all windows together, of the best and of the worst one
}

// latencyCurves returns a curve for each variant that was measured, and the lowest and the highest latency in them.
func (r *Report) latencyCurves() (curves []latencyCurve, low, high int64, err error) {
	low = math.MaxInt64
	for k := range r.Variants {
		sum := stats.NewHistogram()
		c := latencyCurve{variant: k}
		for _, w := range r.Windows {
			if w.Variant != Letter(k) || !w.Valid {
				continue
			}
			h, err := w.Latency.Decode()
			if err != nil {
				return nil, 0, 0, err
			}
			sum.Merge(h)
			v := atPercentiles(h)
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
		c.all = atPercentiles(sum)
		low, high = min(low, slices.Min(c.low)), max(high, slices.Max(c.high))
		curves = append(curves, c)
	}
	return curves, max(1, low), high, nil
}

func atPercentiles(h *hdrhistogram.Histogram) []int64 {
	v := make([]int64, len(percentiles))
	for k, p := range percentiles {
		v[k] = h.ValueAtPercentile(p)
	}
	return v
}

// windowsPlot shows each window in the order of measuring: p50 as a dot, p99 as a ring.
func (r *Report) windowsPlot() template.HTML {
	d := newDrawing(plotWidth, plotHeight, "Latency of each window, in the order of measuring")
	low, high := math.Inf(1), 0.0
	for _, w := range r.Windows {
		if w.Valid {
			low, high = min(low, ms(max(1, w.Latency.P50))), max(high, ms(w.Latency.P99))
		}
	}
	if high == 0 {
		return ""
	}
	y := logScale(low, high, plotBottom, plotTop)
	d.yAxis(y, plotLeft, plotRight)
	tone := tones(r.Variants)
	step := (plotRight - plotLeft) / float64(len(r.Windows))
	for k, w := range r.Windows {
		x := plotLeft + step*(float64(k)+0.5)
		if k == 0 || r.Windows[k-1].Round != w.Round {
			inRound := 1
			for k+inRound < len(r.Windows) && r.Windows[k+inRound].Round == w.Round {
				inRound++
			}
			d.text(x+step*float64(inRound-1)/2, plotBottom+16, "middle", fmt.Sprint(w.Round), quiet)
			if k > 0 {
				d.line(x-step/2, plotTop, x-step/2, plotBottom, grid)
			}
		}
		if !w.Valid {
			d.text(x, plotBottom-6, "middle", "✕", quiet)
			continue
		}
		d.p50ToP99(x, y, w.Latency, tone[index(w.Variant)])
	}
	d.text(plotLeft, plotBottom+32, "start", "round; ● p50, ○ p99, ✕ left out", quiet)
	return d.end()
}

// p50ToP99 draws a distribution at x: p50 as a dot, p99 as a ring.
func (d *drawing) p50ToP99(x float64, y scale, l stats.Latency, t tone) {
	top, bottom := y.at(ms(l.P99)), y.at(ms(max(1, l.P50)))
	d.line(x, top, x, bottom, t.stroke()+` stroke-width="1.5"`)
	d.circle(x, bottom, 4, t.fill(1))
	d.circle(x, top, 3.2, t.stroke()+` fill="none" stroke-width="1.5"`)
}

// reconnectPlot shows how many of the cut connections had reconnected after which time.
func (r *Report) reconnectPlot() template.HTML {
	d := newDrawing(plotWidth, plotHeight, "Reconnected after a cut")
	reconnected, last, first := 0, 0.0, math.Inf(1)
	for _, s := range r.Drills {
		if s.Reconnect != nil {
			reconnected, last = max(reconnected, s.Reconnect.Count), max(last, s.Reconnect.Max)
			first = min(first, s.Reconnect.Curve[0].Ms)
		}
	}
	if reconnected == 0 {
		return ""
	}
	x := logScale(max(first, last/1e4), last, plotLeft, plotRight)
	y := scale{from: 0, to: 100, a: plotBottom, b: plotTop}
	d.yAxis(y, plotLeft, plotRight)
	for _, v := range x.ticks() {
		d.line(x.at(v), plotTop, x.at(v), plotBottom, grid)
		d.text(x.at(v), plotBottom+16, "middle", tickText(v), quiet)
	}
	tone := tones(r.Variants)
	for _, s := range r.Drills {
		if s.Reconnect == nil {
			continue
		}
		line := [][2]float64{{plotLeft, y.at(0)}}
		for _, p := range s.Reconnect.Curve {
			line = append(line, [2]float64{max(plotLeft, x.at(p.Ms)), y.at(100 * float64(p.Count) / float64(s.Reconnect.Count))})
		}
		d.path(line, false, tone[index(s.Variant)].stroke()+` fill="none" stroke-width="1.8"`)
	}
	d.text(plotLeft, plotBottom+32, "start", "ms after the cut; % of the connections that have reconnected", quiet)
	return d.end()
}

// phasesPlot shows the latency of the connections that keep reading, before, while and after others are stalled.
func (r *Report) phasesPlot() template.HTML {
	d := newDrawing(plotWidth, plotHeight, "Latency of the connections that keep reading")
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
	tone := tones(r.Variants)
	third := (plotRight - plotLeft) / 3.0
	for k, name := range []string{"before", "some are stalled", "after"} {
		middle := plotLeft + third*(float64(k)+0.5)
		d.text(middle, plotBottom+16, "middle", name, quiet)
		for n, s := range r.Drills {
			if k < len(s.Phases) {
				d.p50ToP99(middle+24*(float64(n)-float64(len(r.Drills)-1)/2), y, s.Phases[k].Latency, tone[index(s.Variant)])
			}
		}
	}
	d.text(plotLeft, plotBottom+32, "start", "● p50, ○ p99", quiet)
	return d.end()
}

package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
)

// drawing is an SVG picture that uses presentation attributes alone, since a strict Content-Security-Policy forbids styles.
// Text and lines take the page's color, so that a picture suits dark and light pages; a stylesheet can refine it by the
// classes.
type drawing struct {
	b             strings.Builder
	width, height float64
}

const fontFace = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"

func newDrawing(width, height float64, title string) *drawing {
	d := &drawing{width: width, height: height}
	fmt.Fprintf(&d.b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" role="img" font-family="%s" font-size="11" fill="currentColor"><title>%s</title>`,
		width, height, width, height, html.EscapeString(fontFace), html.EscapeString(title))
	return d
}

func (d *drawing) end() template.HTML {
	d.b.WriteString("</svg>")
	return template.HTML(d.b.String()) // every text in it is escaped
}

// tone is the color of a variant's lane, and its number among the variants of that lane.
type tone struct {
	class, color string
	nth          int // from 0
}

// dashes are the line styles of a lane's first, second, … variant.
var dashes = []string{"", "5 3", "2 2.5", "9 3 2 3", "1 4", "12 4"}

func (t tone) stroke() string {
	s := fmt.Sprintf(`class="%s" stroke="%s"`, t.class, t.color)
	if d := dashes[t.nth%len(dashes)]; d != "" {
		s += fmt.Sprintf(` stroke-dasharray="%s"`, d)
	}
	return s
}

func (t tone) fill(opacity float64) string {
	opacity *= math.Pow(0.6, float64(t.nth))
	return fmt.Sprintf(`class="%s-fill" fill="%s" fill-opacity="%.3g"`, t.class, t.color, opacity)
}

// tones returns the tone of each variant. The colors are readable on white and on black.
func tones(variants []Variant) []tone {
	var all []tone
	seen := make(map[string]int)
	for _, v := range variants {
		t := tone{class: "sse", color: "#2f86eb"}
		if v.Lane == "ws" {
			t = tone{class: "ws", color: "#9a63ee"}
		}
		t.nth = seen[v.Lane]
		seen[v.Lane]++
		all = append(all, t)
	}
	return all
}

func (d *drawing) text(x, y float64, anchor, s, attrs string) {
	fmt.Fprintf(&d.b, `<text x="%.1f" y="%.1f" text-anchor="%s" %s>%s</text>`, x, y, anchor, attrs, html.EscapeString(s))
}

func (d *drawing) line(x1, y1, x2, y2 float64, attrs string) {
	fmt.Fprintf(&d.b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" %s/>`, x1, y1, x2, y2, attrs)
}

func (d *drawing) circle(x, y, r float64, attrs string) {
	fmt.Fprintf(&d.b, `<circle cx="%.1f" cy="%.1f" r="%.1f" %s/>`, x, y, r, attrs)
}

func (d *drawing) rect(x, y, w, h float64, attrs string) {
	fmt.Fprintf(&d.b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" %s/>`, x, y, max(0, w), max(0, h), attrs)
}

func (d *drawing) path(points [][2]float64, closed bool, attrs string) {
	var p strings.Builder
	for k, at := range points {
		p.WriteString(map[bool]string{true: "M", false: "L"}[k == 0])
		fmt.Fprintf(&p, "%.1f %.1f", at[0], at[1])
	}
	if closed {
		p.WriteByte('Z')
	}
	fmt.Fprintf(&d.b, `<path d="%s" %s/>`, p.String(), attrs)
}

const (
	quiet = `class="label" fill-opacity="0.7"`
	grid  = `class="grid" stroke="currentColor" stroke-opacity="0.15"`
)

// scale maps values to coordinates, linearly or by their logarithm.
type scale struct {
	from, to float64 // values
	a, b     float64 // coordinates
	log      bool
}

func (s scale) at(v float64) float64 {
	from, to := s.from, s.to
	if s.log {
		v, from, to = math.Log10(max(v, s.from/10)), math.Log10(from), math.Log10(to)
	}
	if to == from {
		return (s.a + s.b) / 2
	}
	return s.a + (v-from)/(to-from)*(s.b-s.a)
}

// logScale returns a logarithmic scale that covers low to high, rounded outwards to 1, 2 or 5 times a power of ten.
func logScale(low, high, a, b float64) scale {
	low = max(low, 1e-3)
	high = max(high, low*1.01)
	s := scale{from: steps125(low, false), to: steps125(high, true), a: a, b: b, log: true}
	if s.from == s.to {
		s.to *= 10
	}
	return s
}

// steps125 returns the nearest 1, 2 or 5 times a power of ten at or above v, or at or below it.
func steps125(v float64, up bool) float64 {
	p := math.Pow(10, math.Floor(math.Log10(v)))
	list := []float64{1, 2, 5, 10}
	if up {
		for _, m := range list {
			if m*p >= v*0.999999 {
				return m * p
			}
		}
	}
	for k := len(list) - 1; k >= 0; k-- {
		if list[k]*p <= v*1.000001 {
			return list[k] * p
		}
	}
	return p
}

// ticks returns the values to label: 1, 2 and 5 times the powers of ten on a logarithmic scale, or only the powers if the
// scale is long.
func (s scale) ticks() []float64 {
	var all []float64
	if !s.log {
		step := steps125(max(s.to-s.from, 1e-9)/4, false)
		for v := math.Ceil(s.from/step) * step; v <= s.to*1.000001; v += step {
			all = append(all, v)
		}
		return all
	}
	many := s.to/s.from > 2000
	for p := math.Pow(10, math.Floor(math.Log10(s.from))); p <= s.to*1.000001; p *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if v := m * p; v >= s.from*0.999999 && v <= s.to*1.000001 && (!many || m == 1) {
				all = append(all, v)
			}
		}
	}
	return all
}

func tickText(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", v), "0"), ".")
}

// yAxis draws horizontal grid lines, labelled on the left.
func (d *drawing) yAxis(s scale, left, right float64) {
	for _, v := range s.ticks() {
		y := s.at(v)
		d.line(left, y, right, y, grid)
		d.text(left-6, y+4, "end", tickText(v), quiet)
	}
}

package loadtest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decimals is how many a figure of this size is shown with, for about three significant digits.
func decimals(v float64) int {
	switch v = math.Abs(v); {
	case v >= 100:
		return 0
	case v >= 10:
		return 1
	case v >= 0.1 || v == 0:
		return 2
	}
	return 3
}

// number groups thousands and uses the typographic minus sign.
func number(v float64, decimals int) string {
	s := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	whole, part, dotted := strings.Cut(s, ".")
	var b strings.Builder
	if v < 0 && strings.Trim(s, "0.") != "" {
		b.WriteString("−")
	}
	for i, d := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	if dotted {
		b.WriteString("." + part)
	}
	return b.String()
}

func signed(v float64, decimals int) string {
	s := number(v, decimals)
	if strings.HasPrefix(s, "−") || strings.Trim(s, "0.,") == "" {
		return s
	}
	return "+" + s
}

func count[N int | int64 | uint64](n N) string { return number(float64(n), 0) }

// digits is how many decimals a row needs: those of its smaller side.
func (m Metric) digits() int {
	d := decimals(m.A.Median)
	if m.B.Count > 0 {
		d = max(d, decimals(m.B.Median))
	}
	for _, r := range m.Sides {
		if r.Count > 0 {
			d = max(d, decimals(r.Median))
		}
	}
	return d
}

// compact is a large number in three figures: "112k", "1.23M".
func compact(v float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if x := v / u.size; math.Abs(x) >= 0.9995 {
			return number(x, min(2, decimals(math.Abs(x)*1.0005))) + u.name
		}
	}
	return number(v, decimals(v))
}

// narrow is show for a narrow column: it shortens numbers until they fit.
func (r Range) narrow(digits, width int) string {
	s := r.show(digits)
	if r.Count > 0 && utf8.RuneCountInString(s) > width {
		s = fmt.Sprintf("%s (%s–%s)", compact(r.Median), compact(r.Min), compact(r.Max))
	}
	return s
}

func (i Interval) narrow(digits, width int) string {
	s := i.show(digits)
	if i.Pairs >= 2 && utf8.RuneCountInString(s) > width {
		sign := ""
		if i.Mean > 0 {
			sign = "+"
		}
		s = sign + compact(i.Mean) + " ± " + compact((i.High-i.Low)/2)
	}
	return s
}

// show is "4.18 (3.92–4.40)", or a dash.
func (r Range) show(digits int) string {
	if r.Count == 0 {
		return "–"
	}
	return fmt.Sprintf("%s (%s–%s)", number(r.Median, digits), number(r.Min, digits), number(r.Max, digits))
}

// show is "+0.06 ± 0.14", or a dash.
func (i Interval) show(digits int) string {
	if i.Pairs < 2 {
		return "–"
	}
	return fmt.Sprintf("%s ± %s", signed(i.Mean, digits), number((i.High-i.Low)/2, digits))
}

// label is the metric's name with its unit.
func (m Metric) label() string {
	if m.Unit == "" {
		return m.Name
	}
	return m.Name + ", " + m.Unit
}

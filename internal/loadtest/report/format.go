package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"ticklane/internal/loadtest/stats"
)

// decimals returns with how many decimals a figure of this size is shown, for about three significant digits.
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

// number formats v with grouped thousands and a typographic minus sign.
func number(v float64, decimals int) string {
	s := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	whole, fraction, hasFraction := strings.Cut(s, ".")
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
	if hasFraction {
		b.WriteString("." + fraction)
	}
	return b.String()
}

// signed is number with a plus sign for what is shown as positive.
func signed(v float64, decimals int) string {
	s := number(v, decimals)
	if strings.HasPrefix(s, "−") || strings.Trim(s, "0.,") == "" {
		return s
	}
	return "+" + s
}

func count[N int | int64 | uint64](n N) string { return number(float64(n), 0) }

// compact formats a large number with three digits: "112k", "1.23M".
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

// percent formats a share with as many digits as are meaningful.
func percent(share float64) string {
	d := 0
	if share < 0.0995 {
		d = 1
	}
	return number(share*100, d) + " %"
}

// excessText returns text such as "22 % more", or "3.1 times as much".
func excessText(share float64) string {
	if share >= 1 {
		return number(share+1, 1) + " times as much"
	}
	return percent(share) + " more"
}

// showRange returns text such as "4.18 (3.92–4.40)", a dash for an empty range.
func showRange(r stats.Range, digits int) string {
	if r.Count == 0 {
		return "–"
	}
	return fmt.Sprintf("%s (%s–%s)", number(r.Median, digits), number(r.Min, digits), number(r.Max, digits))
}

// fitRange is showRange with compact numbers if it is wider than width.
func fitRange(r stats.Range, digits, width int) string {
	s := showRange(r, digits)
	if r.Count > 0 && utf8.RuneCountInString(s) > width {
		s = fmt.Sprintf("%s (%s–%s)", compact(r.Median), compact(r.Min), compact(r.Max))
	}
	return s
}

// showInterval returns text such as "+0.06 ± 0.14", a dash if there is no interval.
func showInterval(i stats.Interval, digits int) string {
	if i.Pairs < 2 {
		return "–"
	}
	return fmt.Sprintf("%s ± %s", signed(i.Mean, digits), number((i.High-i.Low)/2, digits))
}

// fitInterval is showInterval with compact numbers if it is wider than width.
func fitInterval(i stats.Interval, digits, width int) string {
	s := showInterval(i, digits)
	if i.Pairs >= 2 && utf8.RuneCountInString(s) > width {
		sign := ""
		if i.Mean > 0 {
			sign = "+"
		}
		s = sign + compact(i.Mean) + " ± " + compact((i.High-i.Low)/2)
	}
	return s
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

package replay

import (
	"fmt"
	"strings"
)

// notation collects evidence of the notation of numbers.
type notation struct {
	point, comma               int    // numbers that show which character is before the decimals
	maybePoint, maybeComma     int    // numbers such as 1.355 that don't
	spaces, apostrophes        int    // numbers with these between groups
	pointExample, commaExample string // the first of them
}

// observe adds a number of the file. Text that is no number adds nothing.
func (n *notation) observe(text string) {
	t, ok := trimNumber(text)
	if !ok || strings.Trim(t.body, "0123456789., '") != "" {
		return
	}
	s := t.body
	points, commas := strings.Count(s, "."), strings.Count(s, ",")
	grouped := strings.ContainsAny(s, " '")
	if strings.Contains(s, " ") {
		n.spaces++
	}
	if strings.Contains(s, "'") {
		n.apostrophes++
	}
	switch {
	case points > 0 && commas > 0:
		if strings.LastIndexByte(s, '.') > strings.LastIndexByte(s, ',') {
			n.point++
		} else {
			n.comma++
		}
	case points > 1:
		n.comma++
	case commas > 1:
		n.point++
	case points == 1 && (grouped || beforeDecimals(s, ".")):
		n.point++
	case commas == 1 && (grouped || beforeDecimals(s, ",")):
		n.comma++
	case points == 1:
		if n.maybePoint++; n.pointExample == "" {
			n.pointExample = s
		}
	case commas == 1:
		if n.maybeComma++; n.commaExample == "" {
			n.commaExample = s
		}
	}
}

// beforeDecimals reports whether the only separator of a number can't be between groups of digits: 1.3, 1234.567, 0.355.
func beforeDecimals(s, separator string) bool {
	before, after, _ := strings.Cut(s, separator)
	return len(after) != 3 || len(before) > 3 || before == "" || before[0] == '0'
}

// decide returns the notation that the evidence shows, or what the settings say. Without evidence, a point is before the decimals
// unless semicolons delimit the fields, as where commas are: then 1.355 is ambiguous, and so is 1,355 always.
func (n *notation) decide(s *settings, delimiter byte) (numberFormat, error) {
	f := numberFormat{point: s.point, group: ','}
	if f.point == 0 {
		switch {
		case s.group == ',':
			f.point = '.'
		case s.group == '.', n.comma > n.point:
			f.point = ','
		case n.point > 0:
			f.point = '.'
		case n.maybeComma > 0:
			return f, ambiguousNumber(n.commaExample, ",")
		case n.maybePoint > 0 && delimiter == ';':
			return f, ambiguousNumber(n.pointExample, ".")
		default:
			f.point = '.'
		}
	}
	switch {
	case s.groupSet:
		f.group = s.group
	case n.spaces > 0:
		f.group = ' '
	case n.apostrophes > 0:
		f.group = '\''
	case f.point == ',':
		f.group = '.'
	}
	if f.group == f.point {
		return f, fmt.Errorf("feed.format.thousands: %q is before the decimals, too", f.group)
	}
	return f, nil
}

func ambiguousNumber(example, separator string) error {
	whole := strings.Replace(example, separator, "", 1)
	asPoint, asComma := strings.Replace(example, separator, ".", 1), whole
	if separator == "," {
		asPoint, asComma = asComma, asPoint
	}
	return fmt.Errorf("%q is ambiguous: %s with a point before the decimals, %s with a comma. Set feed.format.decimal to point or comma",
		example, asPoint, asComma)
}

package replay

import (
	"strings"
	"time"
)

// cursor reads a text from its start.
type cursor struct{ rest string }

func (c *cursor) end() bool { return c.rest == "" }

// digits returns the number that is next, of at most limit digits, and how many it has.
func (c *cursor) digits(limit int) (n, length int) {
	for length < len(c.rest) && length < limit && c.rest[length] >= '0' && c.rest[length] <= '9' {
		n = 10*n + int(c.rest[length]-'0')
		length++
	}
	c.rest = c.rest[length:]
	return n, length
}

// take reports whether one of chars is next, and reads it.
func (c *cursor) take(chars string) (char byte, ok bool) {
	if c.rest == "" || strings.IndexByte(chars, c.rest[0]) < 0 {
		return 0, false
	}
	char = c.rest[0]
	c.rest = c.rest[1:]
	return char, true
}

func (c *cursor) skip(chars string) { c.rest = strings.TrimLeft(c.rest, chars) }

// word returns the letters that are next, in lower case.
func (c *cursor) word() string {
	n := 0
	for n < len(c.rest) && (c.rest[n]|0x20 >= 'a' && c.rest[n]|0x20 <= 'z') {
		n++
	}
	word := strings.ToLower(c.rest[:n])
	c.rest = c.rest[n:]
	return word
}

// parseCivil parses a written date with an optional clock and zone. Years of two digits are read only if the settings have the
// order, or beside the name of a month.
func parseCivil(s string, kind timeKind, forced bool) (civil, error) {
	c := cursor{s}
	var t civil
	if err := t.date(&c, kind, forced); err != nil {
		return t, err
	}
	if !t.valid() || !t.time(&c) || !c.end() {
		return t, errTime
	}
	return t, nil
}

func (t *civil) date(c *cursor, kind timeKind, forced bool) error {
	word := c.word()
	if word != "" {
		if t.month = monthOf(word); t.month == 0 {
			return errTime
		}
		c.skip(". -/")
		t.day, _ = c.digits(2)
		c.skip(", -/")
		return t.setYear(c, true)
	}
	digits := len(c.rest) - len(strings.TrimLeft(c.rest, "0123456789"))
	switch digits {
	case 8, 12, 14, 17:
		t.compact(c, digits)
		return nil
	}
	a, length := c.digits(4)
	separator, ok := c.take("-./ ")
	if !ok {
		return errTime
	}
	switch word := c.word(); {
	case word != "" && length == 4:
		t.year, t.month = a, monthOf(word)
		c.skip("-. /")
		t.day, _ = c.digits(2)
		return nil
	case word != "":
		t.day, t.month = a, monthOf(word)
		c.skip("-., /")
		return t.setYear(c, true)
	}
	b, _ := c.digits(2)
	if second, ok := c.take("-./"); !ok || second != separator {
		return errTime
	}
	if length == 4 || forced && kind == yearFirst {
		t.year, t.month = a, b
		if length < 4 {
			t.year = fullYear(a)
		}
		t.day, _ = c.digits(2)
		return nil
	}
	switch {
	case kind == dayFirst:
		t.day, t.month = a, b
	case kind == monthFirst:
		t.day, t.month = b, a
	default:
		return errAmbiguous
	}
	return t.setYear(c, forced)
}

// setYear reads the year, which may have two digits.
func (t *civil) setYear(c *cursor, short bool) error {
	year, length := c.digits(4)
	switch {
	case length == 4:
		t.year = year
	case length == 2 && short:
		t.year = fullYear(year)
	default:
		return errTime
	}
	return nil
}

// fullYear returns the year of two digits: 1970 to 2069.
func fullYear(short int) int {
	if short < 70 {
		return 2000 + short
	}
	return 1900 + short
}

// compact reads yyyymmdd, with hhmm, hhmmss or hhmmssmmm.
func (t *civil) compact(c *cursor, digits int) {
	t.year, _ = c.digits(4)
	t.month, _ = c.digits(2)
	t.day, _ = c.digits(2)
	if digits > 8 {
		t.clock = true
		t.hour, _ = c.digits(2)
		t.minute, _ = c.digits(2)
		t.second, _ = c.digits(2)
		ms, _ := c.digits(3)
		t.micro = 1000 * ms
	}
}

func monthOf(word string) int {
	for m := time.January; m <= time.December; m++ {
		name := strings.ToLower(m.String())
		if word == name || len(word) >= 3 && strings.HasPrefix(name, word) {
			return int(m)
		}
	}
	if word == "sept" {
		return int(time.September)
	}
	return 0
}

// valid reports whether the date exists.
func (t *civil) valid() bool {
	if t.year < 1000 || t.month < 1 || t.month > 12 || t.day < 1 {
		return false
	}
	return t.day <= 28 || t.day <= time.Date(t.year, time.Month(t.month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// time reads clock and zone, which may be absent.
func (t *civil) time(c *cursor) bool {
	if !t.clock && !c.end() && c.rest[0] != 'Z' && c.rest[0] != 'z' {
		if _, ok := c.take("Tt ,"); !ok {
			return false
		}
		c.skip(" ")
		if !t.readClock(c) {
			return false
		}
	}
	return t.hour < 24 && t.minute < 60 && t.second < 60 && t.readZone(c)
}

// readClock reads 14:30, 14:30:00.25, 2:30:00 PM, 1430 or 143000.
func (t *civil) readClock(c *cursor) bool {
	t.clock = true
	digits := len(c.rest) - len(strings.TrimLeft(c.rest, "0123456789"))
	if digits == 4 || digits == 6 || digits == 9 {
		t.hour, _ = c.digits(2)
		t.minute, _ = c.digits(2)
		t.second, _ = c.digits(2)
		ms, _ := c.digits(3)
		t.micro = 1000 * ms
	} else {
		if digits == 0 || digits > 2 {
			return false
		}
		t.hour, _ = c.digits(2)
		if _, ok := c.take(":"); !ok {
			return false
		}
		var length int
		if t.minute, length = c.digits(2); length != 2 {
			return false
		}
		if _, ok := c.take(":"); ok {
			if t.second, length = c.digits(2); length != 2 {
				return false
			}
		}
	}
	if t.micro == 0 && !c.end() && (c.rest[0] == '.' || c.rest[0] == ',' || c.rest[0] == ':') {
		c.rest = c.rest[1:]
		if !t.readFraction(c) {
			return false
		}
	}
	return t.readHalf(c)
}

func (t *civil) readFraction(c *cursor) bool {
	n, length := c.digits(6)
	for k := length; k < 6; k++ {
		n *= 10
	}
	t.micro = n
	c.skip("0123456789")
	return length > 0
}

// readHalf reads AM or PM.
func (t *civil) readHalf(c *cursor) bool {
	before := *c
	c.skip(" ")
	half := c.word()
	if half != "am" && half != "pm" {
		*c = before
		return true
	}
	if t.hour < 1 || t.hour > 12 {
		return false
	}
	t.hour %= 12
	if half == "pm" {
		t.hour += 12
	}
	return true
}

// readZone reads Z, UTC, GMT or an offset: +01:00, +0100, +01, GMT+1.
func (t *civil) readZone(c *cursor) bool {
	c.skip(" ")
	switch c.word() {
	case "":
	case "z", "utc", "gmt":
		t.zoned = true
	default:
		return false
	}
	sign, ok := c.take("+-")
	if !ok {
		return true
	}
	t.zoned = true
	hours, length := c.digits(2)
	if length == 0 {
		return false
	}
	c.take(":")
	minutes, length := c.digits(2)
	if length == 1 || hours > 18 || minutes > 59 {
		return false
	}
	t.offset = hours*3600 + minutes*60
	if sign == '-' {
		t.offset = -t.offset
	}
	return true
}

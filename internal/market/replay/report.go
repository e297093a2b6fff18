package replay

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// rare is the time between two ticks above which the log reports that there are few.
const rare = 5 * time.Second

// report logs in one line what was read and how, and in another if few ticks are due at this speed.
func (s *scan) report(speed float64) {
	l := s.layout
	kind := "ticks"
	if l.bars {
		kind = "bars of " + (time.Duration(s.length()) * time.Microsecond).String()
	}
	attrs := []any{
		"file", s.input.name, "kind", kind, "first_row", l.first, "rows", s.rows, "symbols", s.symbolNames(), "from", show(s.first), "to", show(s.last),
		"decimals", s.decimals(func(x *symbolScan) uint8 { return x.instrument.Decimals }),
		"size_decimals", s.decimals(func(x *symbolScan) uint8 { return x.instrument.SizeDecimals }),
		"columns", strings.Join(l.used(), " "), "ignored", orNone(strings.Join(l.ignored(), ", ")), "skipped", s.bad,
		"delimiter", delimiterName(l.delimiter), "numbers", l.numbers.example(), "times", l.timeForm(),
	}
	if l.numbers.single {
		attrs = append(attrs, "prices", "of 32 bits: 184.270004 is 184.27")
	}
	if form := l.form; form != "" {
		attrs = append(attrs, "form", form)
	}
	if len(s.input.form) > 0 {
		attrs = append(attrs, "encoding", strings.Join(s.input.form, ", "))
	}
	if s.sorted != nil {
		attrs = append(attrs, "sorted", s.sorted.where())
	}
	s.log.Info("replay file read", attrs...)
	if now := time.Now(); s.last > now.Add(24*time.Hour).UnixMicro() {
		s.log.Warn("the replayed file has times in the future", "file", s.input.name, "newest", show(s.last))
	}
	every := s.length()
	if l.bars {
		every /= 4
	}
	if every = int64(float64(every) / speed); every > rare.Microseconds() {
		second := int64(float64(every) * speed / 1e6)
		s.log.Info("few ticks at this speed: set feed.speed", "tick_every", time.Duration(every)*time.Microsecond, "speed", speed, "one_a_second", second)
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// symbolNames returns the number of symbols, and the name if there is one only.
func (s *scan) symbolNames() string {
	if len(s.symbols) == 1 {
		return "1 (" + s.symbols[0].instrument.Symbol + ")"
	}
	return fmt.Sprint(len(s.symbols))
}

// decimals returns a number of decimals, or the smallest and the largest of all symbols.
func (s *scan) decimals(of func(*symbolScan) uint8) string {
	low, high := of(s.symbols[0]), of(s.symbols[0])
	for _, symbol := range s.symbols {
		low, high = min(low, of(symbol)), max(high, of(symbol))
	}
	if low == high {
		return fmt.Sprint(low)
	}
	return fmt.Sprintf("%d to %d", low, high)
}

// used returns the columns with their meanings: "time=Date+Time".
func (l *layout) used() []string {
	var list []string
	for col := range columnCount {
		i := l.groups[0].places[col]
		if i < 0 || col == colClock {
			continue
		}
		text := col.String() + "=" + strings.TrimSpace(l.names[i])
		if clock := l.groups[0].places[colClock]; col == colTime && clock >= 0 {
			text += "+" + strings.TrimSpace(l.names[clock])
		}
		list = append(list, text)
	}
	return list
}

// ignored returns the names of the columns that aren't used.
func (l *layout) ignored() []string {
	var list []string
	for i, name := range l.names {
		name = strings.TrimSpace(name)
		used := slices.ContainsFunc(l.groups, func(g group) bool { return slices.Contains(g.places[:], i) })
		if !used && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

func delimiterName(delimiter byte) string {
	for name, c := range delimiters {
		if c == delimiter {
			return name
		}
	}
	return string(delimiter)
}

// timeForm describes the form of the file's times.
func (l *layout) timeForm() string {
	text := l.times.kind.String()
	if l.times.kind.written() {
		text += ", " + l.times.zone.String() + " unless given"
	}
	return text
}

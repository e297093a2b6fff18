package replay

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ticklane/internal/excerpt"
	"ticklane/internal/quote"
)

// Format has what the file doesn't show. A field that is empty or "auto" leaves it to detection.
type Format struct {
	Delimiter string   // "comma", "semicolon", "tab" or "pipe"
	Decimal   string   // before the decimals: "point" or "comma"
	Thousands string   // between groups of digits: "none", "comma", "point", "space" or "apostrophe"
	Date      string   // "ymd", "mdy", "dmy", a unit since 1970 ("s", "ms", "us", "ns"), or "excel" for its serial days
	Zone      string   // IANA time zone of times that have none; UTC if empty
	Symbol    string   // of all rows
	Columns   []string // the columns' meanings in order, "-" for none; or pairs NAME=meaning for some of them
}

// settings are the parsed fields of a Format.
type settings struct {
	delimiter    byte // 0 to detect it
	point, group byte // 0 to detect them
	groupSet     bool // group is meant, 0 for none
	kind         timeKind
	kindSet      bool
	zone         *time.Location
	symbol       string
	positions    []column          // of each column in order; ignored for none
	named        map[string]column // of the columns with these names; ignored for none
}

// Values of Format, for the messages about others.
var (
	delimiters = map[string]byte{"comma": ',', "semicolon": ';', "tab": '\t', "pipe": '|'}
	points     = map[string]byte{"point": '.', "comma": ','}
	groups     = map[string]byte{"none": 0, "comma": ',', "point": '.', "space": ' ', "apostrophe": '\''}
	dates      = map[string]timeKind{"ymd": yearFirst, "mdy": monthFirst, "dmy": dayFirst, "s": seconds, "ms": millis, "us": micros, "ns": nanos, "excel": serial}
)

// parse checks the format. The error names the setting.
func (f *Format) parse() (*settings, error) {
	s := &settings{zone: time.UTC, symbol: f.Symbol}
	var err error
	if s.delimiter, _, err = choose("delimiter", f.Delimiter, delimiters); err != nil {
		return nil, err
	}
	if s.point, _, err = choose("decimal", f.Decimal, points); err != nil {
		return nil, err
	}
	if s.group, s.groupSet, err = choose("thousands", f.Thousands, groups); err != nil {
		return nil, err
	}
	if s.kind, s.kindSet, err = choose("date", f.Date, dates); err != nil {
		return nil, err
	}
	if f.Zone != "" {
		if s.zone, err = time.LoadLocation(f.Zone); err != nil || f.Zone == "Local" {
			return nil, fmt.Errorf("feed.format.zone: %q: want a time zone such as UTC or America/New_York", f.Zone)
		}
	}
	if f.Symbol != "" && !quote.ValidSymbol(f.Symbol) {
		return nil, fmt.Errorf("feed.format.symbol: %q: %w", excerpt.Of(f.Symbol), errSymbol)
	}
	return s, s.setColumns(f.Columns)
}

func choose[T any](name, value string, of map[string]T) (v T, set bool, err error) {
	if value == "" || value == "auto" {
		return v, false, nil
	}
	v, set = of[value]
	if !set {
		var all []string
		for k := range of {
			all = append(all, k)
		}
		slices.Sort(all)
		return v, false, fmt.Errorf("feed.format.%s: %q: want auto, %s", name, value, strings.Join(all, ", "))
	}
	return v, true, nil
}

// setColumns parses Format.Columns.
func (s *settings) setColumns(list []string) error {
	for _, item := range list {
		name, meaning, pair := strings.Cut(item, "=")
		if !pair {
			meaning = item
		}
		col, ok := meanings[strings.TrimSpace(meaning)]
		if !ok {
			return fmt.Errorf("feed.format.columns: %q: want one of %s, or - for none", excerpt.Of(item), strings.Join(meaningNames(), ", "))
		}
		if !pair {
			s.positions = append(s.positions, col)
			continue
		}
		if s.named == nil {
			s.named = make(map[string]column)
		}
		s.named[normalize(name)] = col
	}
	if s.named != nil && s.positions != nil {
		return fmt.Errorf("feed.format.columns: want either all columns in order, or pairs such as Settle=close")
	}
	return nil
}

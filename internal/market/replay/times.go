package replay

import (
	"errors"
	"fmt"
	"time"
)

// timeKind is what the times of a file are.
type timeKind int

// Kinds of times. Dates with the year first, and those with the name of a month, are read in all of the first three.
const (
	yearFirst  timeKind = iota
	monthFirst          // 03/02/2026 is the 2nd of March
	dayFirst            // 03/02/2026 is the 3rd of February
	seconds             // since 1970
	millis
	micros
	nanos
	serial // days since 1899-12-30, as in Excel
	timeKinds
)

func (k timeKind) String() string {
	return [...]string{"year-month-day", "month/day/year", "day/month/year", "s since 1970", "ms since 1970", "µs since 1970",
		"ns since 1970", "Excel serial days"}[k]
}

func (k timeKind) written() bool { return k <= dayFirst }

// Bounds of times. A number outside of them has been read in the wrong unit; dates may be older.
var (
	oldestDate   = time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	oldestNumber = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	oldestNanos  = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro() // .NET and kdb+ count from other years
	newestForced = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
)

const aYear = 366 * 24 * time.Hour

// timeFormat reads the times of a file.
type timeFormat struct {
	kind   timeKind
	forced bool           // the settings say so, not the file
	zone   *time.Location // of written times that have none
	newest int64          // µs since 1970
}

// newTimeFormat returns a format that rejects times more than a year after now.
func newTimeFormat(kind timeKind, zone *time.Location, now time.Time) timeFormat {
	return timeFormat{kind: kind, zone: zone, newest: now.Add(aYear).UnixMicro()}
}

var (
	errTime      = errors.New("want a time such as 2026-03-02T14:30:00.25Z, 2026-03-02 14:30, 2026-03-02, Mar 2 2026, or a number since 1970")
	errAmbiguous = errors.New("day or month first? Set feed.format.date to dmy or mdy")
)

// parse returns µs since 1970; the rest of a finer time is dropped.
func (f *timeFormat) parse(s string) (int64, error) {
	if f.kind.written() {
		c, err := parseCivil(s, f.kind, f.forced)
		if err != nil {
			return 0, f.explain(s, err)
		}
		at, err := c.instant(f.zone)
		if err != nil {
			return 0, err
		}
		return at, f.check(at, oldestDate)
	}
	at, ok := parseNumeric(s, f.kind)
	if !ok {
		return 0, fmt.Errorf("want %v, as in the rows before", f.kind)
	}
	oldest := oldestNumber
	if f.kind == nanos {
		oldest = oldestNanos
	}
	return at, f.check(at, oldest)
}

func (f *timeFormat) check(at, oldest int64) error {
	newest := f.newest
	if f.forced {
		oldest, newest = oldestDate, newestForced
	}
	switch {
	case at >= oldest && at <= newest:
		return nil
	case f.kind.written():
		return fmt.Errorf("want a year from %d to %d", yearOf(oldest), yearOf(newest))
	}
	return fmt.Errorf("as %v it is %s, want %d to %d: feed.format.date gives the unit", f.kind, show(at), yearOf(oldest), yearOf(newest))
}

// explain adds to an error what a number would be as a time since 1970.
func (f *timeFormat) explain(s string, err error) error {
	at, kind, ok := epoch(s)
	if !ok {
		return err
	}
	return fmt.Errorf("as %v it is %s, and not %v: feed.format.date gives the unit", kind, show(at), f.kind)
}

func yearOf(at int64) int { return time.UnixMicro(at).UTC().Year() }

func show(at int64) string { return time.UnixMicro(at).UTC().Format("2006-01-02T15:04:05Z") }

// civil is a written time.
type civil struct {
	year, month, day, hour, minute, second, micro int
	clock                                         bool // it has hour and minute
	zoned                                         bool // it has an offset
	offset                                        int  // seconds east of UTC
}

// seconds returns the time in seconds since 1970 if it is UTC.
func (t *civil) seconds() int64 {
	// Days of the proleptic Gregorian calendar, counted from March, so that February 29 is the last day of a year.
	y, m := int64(t.year), int64(t.month)
	if m <= 2 {
		y--
		m += 12
	}
	days := 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + int64(t.day) - 1 - 719468
	return days*86400 + int64(t.hour*3600+t.minute*60+t.second)
}

// instant returns the time in µs since 1970. A time that the clock of the zone shows twice, or never, is an error.
func (t *civil) instant(zone *time.Location) (int64, error) {
	if t.zoned || zone == time.UTC {
		return (t.seconds()-int64(t.offset))*1_000_000 + int64(t.micro), nil
	}
	at := time.Date(t.year, time.Month(t.month), t.day, t.hour, t.minute, t.second, t.micro*1000, zone)
	if !t.clock {
		return at.UnixMicro(), nil
	}
	local := func(at time.Time) int64 {
		_, offset := at.Zone()
		return at.Unix() + int64(offset)
	}
	if local(at) != t.seconds() {
		return 0, fmt.Errorf("no such time in %v: the clock is set forward", zone)
	}
	for _, change := range []time.Duration{-time.Hour, time.Hour} {
		if local(at.Add(change)) == t.seconds() {
			return 0, fmt.Errorf("twice in %v, since the clock is set back: give times with an offset, such as %s", zone, at.Format(time.RFC3339))
		}
	}
	return at.UnixMicro(), nil
}

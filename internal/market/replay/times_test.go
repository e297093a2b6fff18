package replay

import (
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)

func TestParseTime(t *testing.T) {
	at := time.Date(2026, 3, 2, 14, 30, 0, 0, time.UTC)
	day := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		text string
		want time.Time
		kind timeKind
	}{
		{"2026-03-02T14:30:00Z", at, yearFirst},
		{"2026-03-02T15:30:00+01:00", at, yearFirst},
		{"2026-03-02T14:30:00.25Z", at.Add(250 * time.Millisecond), yearFirst},
		{"2026-03-02T14:30:00", at, yearFirst},
		{"2026-03-02 14:30:00", at, yearFirst},
		{"2026-03-02 14:30:00.000001", at.Add(time.Microsecond), yearFirst},
		{"2026-03-02 14:30:00.123456789", at.Add(123456 * time.Microsecond), yearFirst},
		{"2026-03-02 14:30:00,25", at.Add(250 * time.Millisecond), yearFirst},
		{"2026-03-02 09:30:00-05:00", at, yearFirst},
		{"2026-03-02 09:30:00 -0500", at, yearFirst},
		{"2026-03-02 14:30:00 UTC", at, yearFirst},
		{"2026-03-02 15:30:00 GMT+0100", at, yearFirst},
		{"2026-03-02 14:30", at, yearFirst},
		{"2026-03-02 2:30 PM", at, yearFirst},
		{"2026-03-02 12:05 am", day.Add(5 * time.Minute), yearFirst},
		{"2026-03-02", day, yearFirst},
		{"2026/3/2 14:30", at, yearFirst},
		{"2026.03.02 14:30", at, yearFirst},
		{"2026-Mar-02", day, yearFirst},
		{"20260302", day, yearFirst},
		{"202603021430", at, yearFirst},
		{"20260302143000", at, yearFirst},
		{"20260302143000250", at.Add(250 * time.Millisecond), yearFirst},
		{"20260302 143000", at, yearFirst},
		{"20260302 14:30:00", at, yearFirst},
		{"Mar 2 2026", day, yearFirst},
		{"Mar 2, 2026", day, yearFirst},
		{"March 2, 2026 14:30", at, yearFirst},
		{"2 Mar 2026", day, yearFirst},
		{"02-Mar-2026", day, yearFirst},
		{"02-Mar-26", day, yearFirst},
		{"02-Mar-99", time.Date(1999, 3, 2, 0, 0, 0, 0, time.UTC), yearFirst},
		{"1789-05-01", time.Date(1789, 5, 1, 0, 0, 0, 0, time.UTC), yearFirst},
		{"2024-02-29", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), yearFirst},
		{"03/02/2026", day, monthFirst},
		{"3/2/2026 2:30:00 PM", at, monthFirst},
		{"02/03/2026 14:30", at, dayFirst},
		{"02.03.2026 14:30:00.000", at, dayFirst},
		{"2-3-2026", day, dayFirst},
		{"1772461800", at, seconds},
		{"1772461800.5", at.Add(time.Second / 2), seconds},
		{"1772461800000", at, millis},
		{"1772461800000.25", at.Add(250 * time.Microsecond), millis},
		{"1772461800000000", at, micros},
		{"1772461800000000000", at, nanos},
		{"46083", day, serial},
		{"46083.6041666667", at, serial},
		{"46083.60416667", at, serial},
	} {
		f, err := detectTimes([]string{c.text, c.text}, &settings{zone: time.UTC}, now)
		if c.kind == dayFirst || c.kind == monthFirst { // some of them are ambiguous
			f, err = newTimeFormat(c.kind, time.UTC, now), nil
		}
		if err != nil || f.kind != c.kind {
			t.Errorf("%q is %v, %v, want %v", c.text, f.kind, err, c.kind)
			continue
		}
		if got, err := f.parse(c.text); err != nil || got != c.want.UnixMicro() {
			t.Errorf("%q is %v, %v, want %v", c.text, time.UnixMicro(got).UTC(), err, c.want)
		}
	}
}

// TestTimesThatAreNone: each is an error with its reason.
func TestTimesThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "want a time",
		"now":                  "want a time",
		"2026-13-01":           "want a time",
		"2026-02-29":           "want a time",
		"2026-03-02 24:00":     "want a time",
		"2026-03-02 14:60":     "want a time",
		"2026-03-02 13:00 PM":  "want a time",
		"2026-03-02 14:30 EST": "want a time",
		"2026-03-02x":          "want a time",
		"1699-12-31":           "want a year from 1700 to 2027",
		"2099-01-01":           "want a year from 1700 to 2027",
		"0":                    "as s since 1970 it is 1970-01-01T00:00:00Z",
		"-86400":               "as s since 1970 it is 1969-12-31T00:00:00Z",
		"12":                   "as s since 1970",
		"260302":               "as s since 1970 it is 1970-01-04",
		"2026030214":           "as s since 1970 it is 2034-03-15",
		"99999999999":          "as s since 1970 it is 5138-11-16",
		"639080586000000000":   "as ns since 1970 it is 1990-04-0", // .NET
		"1.77246E+12":          "want a time",                      // a spreadsheet has lost its digits
		"46083.6.5":            "want a time",
		"NaN":                  "want a time",
		"1e300":                "want a time",
		"03/02/26":             "day or month first? Set feed.format.date",
	} {
		f, err := detectTimes([]string{text}, &settings{zone: time.UTC}, now)
		if err == nil {
			_, err = f.parse(text)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestDetectTimes: other rows decide what one leaves open, and the settings decide all.
func TestDetectTimes(t *testing.T) {
	for _, c := range []struct {
		values, date string
		want         string // the kind, or part of the error
	}{
		{"03/02/2026 02/27/2026", "", "month/day/year"},
		{"03/02/2026 27/02/2026", "", "day/month/year"},
		{"03/03/2026 04/04/2026", "", "month/day/year"}, // the same in both
		{"02.03.2026", "", "day/month/year"},
		{"03/02/2026 03/04/2026", "", `"03/02/2026" is ambiguous: 2026-03-02T00:00:00Z with the month first, 2026-02-03T00:00:00Z with the day first`},
		{"03/02/2026 03/04/2026", "dmy", "day/month/year"},
		{"03/02/26", "mdy", "month/day/year"},
		{"26-03-02", "ymd", "year-month-day"},
		{"x y 2026-03-02", "", "year-month-day"},
		{"1772461800 1772461801", "", "s since 1970"},
		{"1000 1001", "s", "s since 1970"},
		{"1772461800000 x", "", "ms since 1970"},
		{"639080586000000000", "ns", "ns since 1970"},
		{"46083 46084", "", "Excel serial days"},
		{"20260302 20260303", "", "year-month-day"},
	} {
		s, err := (&Format{Date: c.date}).parse()
		if err != nil {
			t.Fatal(err)
		}
		values := strings.Split(c.values, " ")
		f, err := detectTimes(values, s, now)
		if err == nil && f.kind.String() != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v, want %s", c.values, f.kind, err, c.want)
		}
		if c.date != "" {
			if _, err := f.parse(values[0]); err != nil {
				t.Errorf("%s as %s: %v", values[0], c.date, err)
			}
		}
	}
}

// TestZones: local times, and those that a clock shows twice or never.
func TestZones(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	f := newTimeFormat(yearFirst, newYork, now)
	for text, want := range map[string]string{
		"2026-03-02 09:30":       "2026-03-02T14:30:00Z",
		"2026-07-02 09:30":       "2026-07-02T13:30:00Z",
		"2026-07-02":             "2026-07-02T04:00:00Z",
		"2026-07-02 09:30+00:00": "2026-07-02T09:30:00Z",
		"2026-03-08 01:59":       "2026-03-08T06:59:00Z",
		"2026-03-08 02:30":       "no such time in America/New_York",
		"2026-03-08 03:00":       "2026-03-08T07:00:00Z",
		"2026-11-01 00:59":       "2026-11-01T04:59:00Z",
		"2026-11-01 01:30":       "twice in America/New_York",
		"2026-11-01 02:00":       "2026-11-01T07:00:00Z",
	} {
		at, err := f.parse(text)
		if err == nil && show(at) != want || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v, want %s", text, show(at), err, want)
		}
	}
}

// FuzzTime compares with time.Parse where both read a time.
func FuzzTime(f *testing.F) {
	for _, seed := range []string{"2026-03-02T14:30:00.25Z", "2026-03-02 14:30:00", "03/02/2026 2:30 PM", "Mar 2, 2026", "1772461800.5", "20260302143000", "46083.5", "2024-02-29"} {
		f.Add(seed)
	}
	layouts := []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02", "20060102", "20060102150405", "2006-01-02 15:04"}
	f.Fuzz(func(t *testing.T, text string) {
		for kind := range timeKinds {
			format := newTimeFormat(kind, time.UTC, now)
			at, err := format.parse(text)
			if err != nil {
				continue
			}
			if at < oldestDate || at > format.newest {
				t.Fatalf("%q as %v is %s", text, kind, show(at))
			}
			if kind != yearFirst {
				continue
			}
			for _, layout := range layouts {
				if want, err := time.Parse(layout, text); err == nil && want.Truncate(time.Microsecond).UnixMicro() != at {
					t.Errorf("%q is %s, want %v", text, show(at), want)
				}
			}
		}
	})
}

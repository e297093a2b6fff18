package quote

import (
	"testing"
	"time"
)

func newSession(t *testing.T, zone, opens, closes string) *Session {
	t.Helper()
	s, err := NewSession(zone, opens, closes)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func micros(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMicro()
}

// TestDay: a day lasts from the start of a session to the next, by the local clock.
func TestDay(t *testing.T) {
	stocks := newSession(t, "America/New_York", "09:30", "16:00")
	futures := newSession(t, "America/Chicago", "17:00", "16:00")
	samoa := newSession(t, "Pacific/Apia", "10:00", "16:00")
	for _, c := range []struct {
		name           string
		session        *Session
		at, start, end string
		date           string
	}{
		{"UTC", nil, "2026-03-02T23:59:59Z", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", "2026-03-02"},
		{"UTC, midnight", nil, "2026-03-03T00:00:00Z", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z", "2026-03-03"},
		{"UTC, before 1970", nil, "1969-12-31T12:00:00Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z", "1969-12-31"},
		{"open", stocks, "2026-03-02T14:30:00Z", "2026-03-02T14:30:00Z", "2026-03-03T14:30:00Z", "2026-03-02"},
		{"before the open", stocks, "2026-03-02T14:29:59Z", "2026-03-01T14:30:00Z", "2026-03-02T14:30:00Z", "2026-03-01"},
		{"after midnight UTC", stocks, "2026-03-03T00:30:00Z", "2026-03-02T14:30:00Z", "2026-03-03T14:30:00Z", "2026-03-02"},
		{"23 hours: clocks go forward on 8 March", stocks, "2026-03-07T20:00:00Z", "2026-03-07T14:30:00Z", "2026-03-08T13:30:00Z", "2026-03-07"},
		{"summer", stocks, "2026-03-09T13:30:00Z", "2026-03-09T13:30:00Z", "2026-03-10T13:30:00Z", "2026-03-09"},
		{"25 hours: clocks go back on 1 November", stocks, "2026-11-01T14:29:59Z", "2026-10-31T13:30:00Z", "2026-11-01T14:30:00Z", "2026-10-31"},
		{"across midnight", futures, "2026-03-03T05:00:00Z", "2026-03-02T23:00:00Z", "2026-03-03T23:00:00Z", "2026-03-02"},
		{"across the end of the year", futures, "2027-01-01T03:00:00Z", "2026-12-31T23:00:00Z", "2027-01-01T23:00:00Z", "2026-12-31"},
		{"30 December 2011 didn't exist in Samoa", samoa, "2011-12-30T09:00:00Z", "2011-12-29T20:00:00Z", "2011-12-30T20:00:00Z", "2011-12-29"},
	} {
		d := c.session.Day(micros(t, c.at))
		if d.Start != micros(t, c.start) || d.End != micros(t, c.end) || int64(d.Number)*dayMicros != micros(t, c.date+"T00:00:00Z") {
			t.Errorf("%s: %v to %v, number %d", c.name, time.UnixMicro(d.Start).UTC(), time.UnixMicro(d.End).UTC(), d.Number)
		}
	}
	if (TradingDay{}).Contains(0) {
		t.Error("the zero value contains 0")
	}
}

// TestDaysAreConsecutive: each day ends where the next one starts, and has a higher number, across years of changes of the clock.
func TestDaysAreConsecutive(t *testing.T) {
	for _, zone := range []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo", "Asia/Kolkata", "UTC"} {
		for _, opens := range []string{"00:00", "00:30", "02:30", "09:30", "23:59"} {
			s := newSession(t, zone, opens, "16:00")
			at := micros(t, "2010-01-01T00:00:00Z")
			for before := s.Day(at); at < micros(t, "2013-01-01T00:00:00Z"); at += 7 * 60 * 60 * 1_000_000 {
				d := s.Day(at)
				if !d.Contains(at) || s.Day(d.Start) != d || s.Day(d.End-1) != d {
					t.Fatalf("%s %s: %v isn't in its day %v", zone, opens, time.UnixMicro(at).UTC(), d)
				}
				if d != before && (d.Start != before.End || d.Number <= before.Number) {
					t.Fatalf("%s %s: %v follows %v", zone, opens, d, before)
				}
				before = d
			}
		}
	}
}

func TestNewSession(t *testing.T) {
	s := newSession(t, "Asia/Tokyo", "09:00", "24:00")
	if s.Zone.String() != "Asia/Tokyo" || Clock(s.Open) != "09:00" || Clock(s.Close) != "24:00" {
		t.Errorf("%v %s %s", s.Zone, Clock(s.Open), Clock(s.Close))
	}
	for _, c := range [][4]string{
		{"", "09:00", "15:00", `zone: "": want a time zone such as America/New_York or UTC`},
		{"Local", "09:00", "15:00", `zone: "Local": want a time zone such as America/New_York or UTC`},
		{"Mars/Olympus", "09:00", "15:00", `zone: "Mars/Olympus": want a time zone such as America/New_York or UTC`},
		{"UTC", "24:00", "15:00", `open: "24:00": want a time from 00:00 to 23:59`},
		{"UTC", "9", "15:00", `open: "9": want a time from 00:00 to 23:59`},
		{"UTC", "09:00", "3 pm", `close: "3 pm": want a time from 00:00 to 24:00`},
	} {
		if _, err := NewSession(c[0], c[1], c[2]); err == nil || err.Error() != c[3] {
			t.Errorf("%v: error %v", c, err)
		}
	}
}

package quote

import (
	"fmt"
	"time"
)

// Session is the daily trading time of an instrument. A nil *Session stands for UTC days.
type Session struct {
	Zone        *time.Location
	Open, Close time.Duration // of the local clock, since midnight; a Close that isn't after Open is on the next day
}

// NewSession returns a session from its texts: a zone of the IANA database, and times such as "09:30"; closes may be "24:00". The
// error starts with the name of the invalid one.
func NewSession(zone, opens, closes string) (*Session, error) {
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "" || zone == "Local" {
		return nil, fmt.Errorf("zone: %q: want a time zone such as America/New_York or UTC", zone)
	}
	s := &Session{Zone: location}
	if s.Open, err = parseClock(opens); err != nil || s.Open == 24*time.Hour {
		return nil, fmt.Errorf("open: %q: want a time from 00:00 to 23:59", opens)
	}
	if s.Close, err = parseClock(closes); err != nil {
		return nil, fmt.Errorf("close: %q: want a time from 00:00 to 24:00", closes)
	}
	return s, nil
}

func parseClock(s string) (time.Duration, error) {
	if s == "24:00" {
		return 24 * time.Hour, nil
	}
	t, err := time.Parse("15:04", s)
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err
}

// Clock formats a time of a session: "09:30".
func Clock(sinceMidnight time.Duration) string {
	minutes := int(sinceMidnight / time.Minute)
	return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)
}

// TradingDay is the time to which the day's figures of a tick belong: from the start of a session to that of the next, or a UTC
// day. The zero value contains no time.
type TradingDay struct {
	Number     int32 // the local date of Start, in days since 1970
	Start, End int64 // µs since 1970; End is the start of the next day
}

// Contains reports whether a time, in µs since 1970, is in the day.
func (d TradingDay) Contains(at int64) bool { return d.Start <= at && at < d.End }

const dayMicros = 24 * 60 * 60 * 1_000_000

// Day returns the trading day that contains a time, in µs since 1970. A session starts at the same time of the local clock each
// day, so a day in which the clock changes is an hour longer or shorter.
func (s *Session) Day(at int64) TradingDay {
	if s == nil {
		n := at / dayMicros
		if at%dayMicros < 0 {
			n--
		}
		return TradingDay{Number: int32(n), Start: n * dayMicros, End: (n + 1) * dayMicros}
	}
	year, month, date := time.UnixMicro(at).In(s.Zone).Date()
	hour, minute := int(s.Open/time.Hour), int(s.Open%time.Hour/time.Minute)
	// Zones have skipped or repeated a date, so that the day may begin more than a date away.
	d := TradingDay{End: s.opening(year, month, date+1, hour, minute)}
	for d.End <= at {
		date++
		d.End = s.opening(year, month, date+1, hour, minute)
	}
	for {
		d.Start = s.opening(year, month, date, hour, minute)
		if d.Start <= at {
			break
		}
		d.End = d.Start
		date--
	}
	d.Number = int32(time.Date(year, month, date, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
	return d
}

// opening returns the start of the session of a date, which may be beyond the month, in µs since 1970.
func (s *Session) opening(year int, month time.Month, date, hour, minute int) int64 {
	return time.Date(year, month, date, hour, minute, 0, 0, s.Zone).UnixMicro()
}

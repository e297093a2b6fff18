// Package replay is a market.Source that replays ticks or bars from a CSV file.
package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"ticklane/internal/market"
	"ticklane/internal/quote"
)

// Values of Options.OnBadRow.
const (
	StopOnBadRow  = "stop" // reject the file
	SkipOnBadRows = "skip" // leave out invalid rows
)

// MaxSpeed replays without waiting. The due time of a tick is then the time at which it is read.
var MaxSpeed = math.Inf(1)

// Options are the options of a Source. Their values are not checked: package config has the bounds of the settings.
//
// The file is CSV. Its first line has the names of the columns, in any order; unknown columns are ignored.
//
//	time        required: RFC 3339, "2026-03-02 14:30:00", "2026-03-02", "20260302", "Mar 2 2026", or a number since
//	            1970 (s, ms, µs or ns by its size); UTC unless it has a zone  [timestamp, date, datetime, t]
//	symbol      A-Z, 0-9, '.', '-'; without this column the symbol is the file's name in upper case  [ticker, sym, s]
//	open high low close  a file with these four has bars  [o, h, l, c]
//	last        a file with this, or with bid and ask, has ticks  [price, trade, p; close without open, high and low]
//	bid ask     default: the last price, and one cent more  [bid_price, ask_price, offer, bp, ap]
//	bid_size ask_size  shares; default 100  [bs, as]
//	volume      shares traded in this row  [vol, size, qty]
//	day_volume  shares traded in the day so far; takes precedence over volume  [cum_volume, v]
//
// A bar becomes four ticks, a quarter of the bar's length apart: open, low, high, close if the price rose; open, high, low,
// close if it fell. Each has a quarter of the volume. The length of a bar is the shortest time between two bars of one
// symbol in the file.
//
// At speed 1 a file of daily bars produces four ticks a day; at 86400 it shows a day per second.
type Options struct {
	File     string
	Speed    float64      // 1 is real time, 60 a minute per second, MaxSpeed without waiting
	Loop     bool         // restart after the last row; due times continue
	OnBadRow string       // StopOnBadRow (the default if empty) or SkipOnBadRows
	Logger   *slog.Logger // slog.Default() if nil
}

// Source replays a file. It is a market.Source.
type Source struct {
	*market.Pacer
	options Options
	scan    *scan
	log     *slog.Logger
	ended   atomic.Int64 // when the last tick was published, µs since 1970; 0 before
}

// New reads the file once to find its symbols and to check every row. It keeps rows in memory only if they are not ordered by
// time, at most two million of them.
//
// The error lists up to 20 invalid rows, each as a *RowError ("prices.csv:17: bid: …"). With SkipOnBadRows the rows are
// logged instead; a file without any valid row is always an error.
func New(o Options) (*Source, error) {
	s := &Source{options: o, log: cmp.Or(o.Logger, slog.Default())}
	s.Pacer = market.NewPacer(s.log)
	var err error
	if s.scan, err = scanFile(o.File); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	if err := s.checkBadRows(); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	return s, nil
}

// checkBadRows logs the invalid rows or returns them as an error, according to Options.OnBadRow.
func (s *Source) checkBadRows() error {
	bad := s.scan.bad
	if bad == 0 {
		return nil
	}
	if s.options.OnBadRow == SkipOnBadRows && s.scan.rows > 0 {
		for _, err := range s.scan.errs {
			s.log.Warn("invalid row of the replayed file skipped", "error", err)
		}
		s.log.Warn("replayed file has invalid rows", "file", s.options.File, "bad", bad, "good", s.scan.rows)
		return nil
	}
	errs := s.scan.errs
	if more := bad - len(errs); more > 0 {
		errs = append(errs, fmt.Errorf("and %d more bad rows", more))
	}
	return errors.Join(errs...)
}

// Universe returns the file's symbols in order of their first rows. Symbols that the simulator knows have its name and
// sector; the others are in the sector "replay".
func (s *Source) Universe() *quote.Universe { return s.scan.universe }

// Timed reports whether due times are a schedule, so that the time since Due is a latency: not at MaxSpeed.
func (s *Source) Timed() bool { return !math.IsInf(s.options.Speed, 1) }

// Run replays the file; its earliest row is due immediately.
func (s *Source) Run(ctx context.Context, publish func([]quote.Tick)) error {
	p := newPlayback(s.scan, s.options, time.Now().UnixMicro())
	defer p.close()
	s.Pacer.Run(ctx, p, publish)
	if p.err != nil {
		return fmt.Errorf("replay: %w", p.err)
	}
	if ctx.Err() == nil {
		s.ended.Store(time.Now().UnixMicro())
		s.log.Info("replay ended, no more ticks follow", "file", s.options.File, "ticks", p.n)
	}
	return nil
}

// Ended returns when the replay reached the end of its file; ok is false before, and always with Options.Loop. Any goroutine may
// call it.
func (s *Source) Ended() (at time.Time, ok bool) {
	us := s.ended.Load()
	return time.UnixMicro(us), us != 0
}

// Package replay is a market.Source that replays ticks or bars from a file: CSV in the notation of most exporters.
//
// Detection (detect.go and what it calls) reads the start of the file and decides how it is to be read: delimiter, columns, form of
// times, notation of numbers. The scan then reads all rows by that layout, to find the symbols, their decimals and the invalid rows.
// Rows that aren't ordered by time are sorted. The playback reads the file again and turns its rows into ticks.
package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"slices"
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

// Options are the options of a Source. docs/replay.md describes the file.
type Options struct {
	File     string       // a path, or StandardInput
	Stdin    *os.File     // os.Stdin if nil
	Speed    float64      // 1 is real time, 60 a minute per second, MaxSpeed without waiting
	Start    string       // a time of the file from which on it is replayed; Past has the rows before it; empty for the first row
	Loop     bool         // restart after the last row; due times continue
	OnBadRow string       // StopOnBadRow (the default if empty) or SkipOnBadRows
	Format   Format       // what the file doesn't show
	LogSize  int          // ticks of the log, for whose rows with a price and a size Events has trades; 0 for no trades
	Logger   *slog.Logger // slog.Default() if nil
}

// Source replays a file. It is a market.EventSource.
type Source struct {
	*market.Pacer
	options  Options
	scan     *scan
	events   *quote.Events // nil if the file has no trades
	log      *slog.Logger
	start    int64        // µs since 1970, of the file
	opening  []quote.Tick // the newest before start
	playback *playback    // nil without Past
	ended    atomic.Int64 // when the last tick was published, µs since 1970; 0 before
}

// New reads the file once to find its symbols and to check every row, and logs what it has read. Standard input is copied to a
// temporary file until its end. It keeps rows in memory only if they are not ordered by time, and then only part of them.
//
// The error lists up to 20 invalid rows, each as a *RowError ("prices.csv:17: bid: …"). With SkipOnBadRows the rows are
// logged instead; a file without any valid row is always an error. If ctx is done it is ctx.Err().
func New(ctx context.Context, o Options) (*Source, error) {
	s := &Source{options: o, log: cmp.Or(o.Logger, slog.Default())}
	s.Pacer = market.NewPacer(s.log)
	if err := s.read(ctx); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	return s, nil
}

func (s *Source) read(ctx context.Context) error {
	format, err := s.options.Format.parse()
	if err != nil {
		return err
	}
	logged := time.Now()
	if s.options.File == StandardInput {
		s.log.Info("reading standard input until its end, then the replay starts")
	}
	in, err := openInput(ctx, s.options.File, cmp.Or(s.options.Stdin, os.Stdin), func(bytes int64) {
		if time.Since(logged) > progressEvery {
			logged = time.Now()
			s.log.Info("reading standard input", "bytes", bytes)
		}
	})
	if err != nil {
		return err
	}
	if s.scan, err = scanFile(ctx, in, format, s.log); err == nil {
		if err = errors.Join(s.checkBadRows(), s.findStart(format.zone)); err == nil {
			s.scan.report(s.options.Speed)
			if s.options.LogSize > 0 && s.scan.layout.hasTrades() {
				s.events = quote.NewEvents(s.options.LogSize)
			}
			return nil
		}
	}
	s.close(in)
	return err
}

func (s *Source) close(in *input) {
	in.close()
	if s.scan != nil && s.scan.sorted != nil {
		s.scan.sorted.close()
	}
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
		s.log.Warn("replayed file has invalid rows", "file", s.Name(), "bad", bad, "good", s.scan.rows)
		return nil
	}
	errs := s.scan.errs
	if more := bad - len(errs); more > 0 {
		errs = append(errs, fmt.Errorf("and %d more bad rows", more))
	}
	if s.scan.rows > 0 {
		errs = append(errs, errors.New("correct the file, or leave such rows out with feed.on_bad_row skip"))
	}
	return errors.Join(errs...)
}

// Name returns the file as it was given, or "standard input".
func (s *Source) Name() string { return s.scan.input.name }

// Universe returns the file's symbols in order of their first rows. Symbols that the simulator knows have its name and
// sector; the others are in the sector "replay".
func (s *Source) Universe() *quote.Universe { return s.scan.universe }

// Events returns the trades of the newest ticks, nil if the file has none.
func (s *Source) Events() *quote.Events { return s.events }

// Timed reports whether due times are a schedule, so that the time since Due is a latency: not at MaxSpeed.
func (s *Source) Timed() bool { return !math.IsInf(s.options.Speed, 1) }

// Run replays the file from Options.Start; its first row from there is due immediately. Run may be called once.
func (s *Source) Run(ctx context.Context, publish func([]quote.Tick)) error {
	defer s.close(s.scan.input)
	if s.playback == nil {
		if err := s.Past(ctx, time.Now(), func([]quote.Tick) {}); err != nil {
			return err
		}
	}
	p := s.playback
	p.ctx = ctx
	for part := range slices.Chunk(s.opening, pastBatch) {
		publish(part)
	}
	s.Pacer.Run(ctx, p, publish)
	if ctx.Err() != nil {
		return nil
	}
	if p.err != nil {
		return fmt.Errorf("replay: %w", p.err)
	}
	s.ended.Store(time.Now().UnixMicro())
	s.log.Info("replay ended, no more ticks follow", "file", s.Name(), "ticks", p.n)
	return nil
}

// Ended returns when the replay reached the end of its file; ok is false before, and always with Options.Loop. Any goroutine may
// call it.
func (s *Source) Ended() (at time.Time, ok bool) {
	us := s.ended.Load()
	return time.UnixMicro(us), us != 0
}

package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"time"

	"ticklane/internal/market"
	"ticklane/internal/quote"
)

// What a replay does about rows that can't be read.
const (
	StopOnBadRow  = "stop" // refuse the file
	SkipOnBadRows = "skip" // go on without them
)

// Bounds of a replay's speed; MaxSpeed is as fast as the ticks are taken.
const (
	MinSpeed  = 0.01
	mostSpeed = 1e9
)

// MaxSpeed replays as fast as the ticks are taken. Their due time is then the time at which they are read.
var MaxSpeed = math.Inf(1)

// Options say what to replay and how.
//
// The file is CSV with a line of column names in any order; columns with other names are left alone.
//
//	time        needed: RFC 3339, "2026-03-02 14:30:00", "2026-03-02", "20260302", "Mar 2 2026", or a number since
//	            1970 (s, ms, µs or ns by its size); UTC unless a zone is given  [timestamp, date, datetime, t]
//	symbol      A-Z, 0-9, '.', '-'; without this column the file's name in capitals is the symbol  [ticker, sym, s]
//	open high low close  make a file of bars; all four are needed  [o, h, l, c]
//	last        makes a file of ticks, as bid and ask together do  [price, trade, p; close alone]
//	bid ask     default to the last price and one cent more  [bid_price, ask_price, offer, bp, ap]
//	bid_size ask_size  shares, 100 by default  [bs, as]
//	volume      shares traded in this row  [vol, size, qty]
//	day_volume  shares traded in the day so far; beats volume  [cum_volume, v]
//
// A bar becomes four ticks, a quarter of the bar's length apart: open, low, high, close when it rose, and
// open, high, low, close when it fell, each with a quarter of its volume. A bar's length is the least time
// between two bars of one symbol in the file.
//
// At speed 1 a file of daily bars gives four ticks a day; 86400 shows a day in each second.
type Options struct {
	File     string
	Speed    float64      // 1 is real time, 60 a minute in each second, MaxSpeed no waiting; MinSpeed to 1e9
	Loop     bool         // begin again after the last row; time goes on
	OnBadRow string       // StopOnBadRow (also when empty) or SkipOnBadRows
	Logger   *slog.Logger // slog.Default() when nil
}

func checkSpeed(f float64) error {
	if f == MaxSpeed || f >= MinSpeed && f <= mostSpeed {
		return nil
	}
	return fmt.Errorf("speed: %v: want max or %v to %.0f", f, MinSpeed, mostSpeed)
}

func (o Options) validate() error {
	var errs []error
	if o.File == "" {
		errs = append(errs, errors.New("file: is missing"))
	}
	if err := checkSpeed(o.Speed); err != nil {
		errs = append(errs, err)
	}
	if o.OnBadRow != "" && o.OnBadRow != StopOnBadRow && o.OnBadRow != SkipOnBadRows {
		errs = append(errs, fmt.Errorf("bad rows: %q: want %s or %s", o.OnBadRow, StopOnBadRow, SkipOnBadRows))
	}
	return errors.Join(errs...)
}

// Source is a market.Source of the ticks of a file.
type Source struct {
	*market.Pacer
	options Options
	scan    *scan
	log     *slog.Logger
}

// New reads the file once, to learn its symbols and to check each row, and keeps none of it, unless its
// rows are not in order of time: then it holds up to two million of them, and refuses more.
//
// Errors name each option out of range, or up to 20 bad rows, each a *RowError ("prices.csv:17: bid: …").
// With SkipOnBadRows those are logged instead; a file without one good row is an error in any case.
func New(o Options) (*Source, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	r := &Source{options: o}
	r.log = cmp.Or(o.Logger, slog.Default())
	r.Pacer = market.NewPacer(r.log)
	var err error
	if r.scan, err = scanFile(o.File); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	if err := r.judge(); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	return r, nil
}

// judge decides what becomes of the bad rows.
func (r *Source) judge() error {
	s := r.scan
	if s.bad == 0 {
		return nil
	}
	if r.options.OnBadRow == SkipOnBadRows && s.rows > 0 {
		for _, err := range s.errs {
			r.log.Warn("a row of the replayed file is left out", "error", err)
		}
		r.log.Warn("the replayed file has bad rows", "file", r.options.File, "bad", s.bad, "good", s.rows)
		return nil
	}
	errs := s.errs
	if more := s.bad - len(errs); more > 0 {
		errs = append(errs, fmt.Errorf("and %d more bad rows", more))
	}
	return errors.Join(errs...)
}

// Universe returns the symbols of the file in the order in which they come. Those that the simulator knows
// too have their name and sector; the others are in the sector "replay".
func (r *Source) Universe() *quote.Universe { return r.scan.universe }

// Timed is false at MaxSpeed, where a tick has no time at which it should have come.
func (r *Source) Timed() bool { return !math.IsInf(r.options.Speed, 1) }

// Run replays the file from its first row, which is due at once.
func (r *Source) Run(ctx context.Context, publish func([]quote.Tick)) error {
	p := newPlayback(r.scan, r.options, time.Now().UnixMicro())
	defer p.close()
	r.Pacer.Run(ctx, p, publish)
	if p.err != nil {
		return fmt.Errorf("replay: %w", p.err)
	}
	return nil
}

// fileRows reads the good rows of a file that was scanned before.
type fileRows struct {
	file  *os.File
	table *table
	scan  *scan
}

func openRows(s *scan) (*fileRows, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	t, err := newTable(f, s.path)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &fileRows{file: f, table: t, scan: s}, nil
}

// next returns io.EOF after the last row, and an error for a symbol that the file didn't have before.
func (f *fileRows) next(r *row) error {
	for {
		err := f.table.next(r)
		if bad := (*RowError)(nil); errors.As(err, &bad) {
			continue // told by the scan
		}
		if err != nil {
			return err
		}
		id, known := f.scan.universe.Lookup(r.ticker)
		if !known {
			return fmt.Errorf("%s has changed since the start: line %d has a new symbol %s", f.table.file, f.table.line, r.ticker)
		}
		r.id = id
		return nil
	}
}

func (f *fileRows) close() { f.file.Close() }

// sortedRows are the rows of a file that are held, in order of time.
type sortedRows struct{ rest []row }

func (s *sortedRows) next(r *row) error {
	if len(s.rest) == 0 {
		return io.EOF
	}
	*r = s.rest[0]
	s.rest = s.rest[1:]
	return nil
}

func (s *sortedRows) close() {}

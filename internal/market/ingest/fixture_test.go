package ingest

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"ticklane/internal/quote"
)

// feed is a running source, with the ticks that it has published.
type feed struct {
	*Source
	t     testing.TB
	ticks []quote.Tick
}

// newFeed runs a source until the end of the test.
func newFeed(t testing.TB, o Options) *feed {
	t.Helper()
	o.MaxInstruments, o.MaxLine = cmp.Or(o.MaxInstruments, 10), cmp.Or(o.MaxLine, 4096)
	o.Logger = slog.New(slog.DiscardHandler)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	f := &feed{Source: s, t: t}
	f.run(func(ticks []quote.Tick) { f.ticks = append(f.ticks, ticks...) })
	return f
}

// run runs the source until the end of the test.
func (f *feed) run(publish func([]quote.Tick)) {
	ctx, cancel := context.WithCancel(context.Background())
	running, done := make(chan struct{}), make(chan error)
	go func() {
		close(running)
		done <- f.Run(ctx, publish)
	}()
	<-running
	for open(f.t, f.Source, "").Write(ctx, []byte("{}\n")) != nil { // until Run has begun
	}
	f.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			f.t.Error(err)
		}
	})
}

// send sends lines on one connection.
func (f *feed) send(source, lines string) Result {
	f.t.Helper()
	x := open(f.t, f.Source, source)
	defer x.Close()
	if err := x.Write(f.t.Context(), []byte(lines)); err != nil {
		f.t.Fatal(err)
	}
	if err := x.End(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	return x.Take()
}

// stored returns the progress of a source.
func (f *feed) stored(source string) Result {
	f.t.Helper()
	r, err := f.Progress(f.t.Context(), source)
	if err != nil {
		f.t.Error(err)
	}
	return r
}

// last returns the newest tick as text: "EURUSD 1.08345×1 1.08347×2 last 1.08346 day 1.0 1.1 1.0 prev 1.0 vol 3".
func (f *feed) last() string {
	if len(f.ticks) == 0 {
		return "none"
	}
	return f.text(&f.ticks[len(f.ticks)-1])
}

func (f *feed) text(t *quote.Tick) string {
	in := f.Universe().Instrument(t.Symbol)
	p := func(p quote.Price) string { return p.Format(in.Decimals) }
	s := func(s quote.Size) string { return s.Format(in.SizeDecimals) }
	return fmt.Sprintf("%s %s×%s %s×%s last %s day %s %s %s prev %s vol %s", in.Symbol, p(t.Bid), s(t.BidSize), p(t.Ask), s(t.AskSize), p(t.Last),
		p(t.Open), p(t.High), p(t.Low), p(t.PrevClose), s(t.Volume))
}

// instruments are a currency pair with 5 decimals, a share, a coin with fractional sizes, and a future that may be negative.
var instruments = strings.Join([]string{
	`{"T":"instrument","S":"EURUSD","name":"Euro / US dollar","sector":"fx","decimals":5,"currency":"USD","tick_size":0.00001}`,
	`{"T":"instrument","S":"ACME","sector":"shares","session":{"zone":"America/New_York","open":"09:30","close":"16:00"}}`,
	`{"T":"instrument","S":"BTC/USD","sector":"coins","decimals":2,"size_decimals":4}`,
	`{"T":"instrument","S":"CL=F","sector":"oil","decimals":2,"negative":true}`, "",
}, "\n")

// summary returns the counts of a result, and the field of each error.
func summary(r Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "+%d -%d =%d", r.Accepted, r.Rejected, r.Duplicates)
	for _, e := range r.Errors {
		fmt.Fprintf(&b, " %d:%s", e.Line, e.Field)
	}
	return b.String()
}

// open opens an input of a client that may send everything.
func open(t testing.TB, s *Source, name string) *Input {
	t.Helper()
	x, err := s.Open(name, Client{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

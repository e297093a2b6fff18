package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ticklane/internal/quote"
)

// TestPieces: however the bytes are split, the result is the same.
func TestPieces(t *testing.T) {
	lines := instruments + "\n\r\n" + `{"T":"q","S":"EURUSD","bp":1.5,"ap":1.6,"n":1}` + "\r\n" + strings.Repeat("x", 300) + "\n" +
		`{"T":"instrument","S":"NEW","n":2}` + "\n" + `{"T":"q","S":"NEW","p":3,"n":3}` + "\n" + `{"T":"q","S":"NEW","p":0,"n":4}` + "\n" + `{"T":"q","S":"NEW","p":4,"n":6}`
	send := func(pieces func(string) []string) (Result, []quote.Tick) {
		f := newFeed(t, Options{MaxLine: 200})
		x := open(t, f.Source, "me")
		defer x.Close()
		for _, piece := range pieces(lines) {
			if err := x.Write(t.Context(), []byte(piece)); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.End(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range f.ticks {
			f.ticks[i].Due, f.ticks[i].Received, f.ticks[i].Day = 0, 0, 0
		}
		return x.Take(), f.ticks
	}
	want, ticks := send(func(s string) []string { return []string{s} })
	if summary(want) != "+8 -2 =0 8: 11:p" || want.Last != 6 || !slices.Equal(want.Holes, []Range{{5, 5}}) || len(ticks) != 3 {
		t.Fatalf("%+v, %d ticks", want, len(ticks))
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		got, same := send(func(s string) (all []string) {
			for len(s) > 0 {
				n := min(len(s), 1+r.IntN(1+r.IntN(400)))
				all, s = append(all, s[:n]), s[n:]
			}
			return all
		})
		if !reflect.DeepEqual(got, want) || !slices.Equal(same, ticks) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	}
}

// TestLongestLine: neither LF nor CR LF counts for the limit of a line.
func TestLongestLine(t *testing.T) {
	const maxLine = 150
	f := newFeed(t, Options{MaxLine: maxLine})
	f.send("", instruments)
	for _, end := range []string{"", "\n", "\r", "\r\n"} {
		for size, accepted := range map[int]uint64{maxLine: 1, maxLine + 1: 0, maxLine + 2: 0} {
			line := fmt.Sprintf("%-*s", size, `{"T":"q","S":"EURUSD","p":1}`) + end
			for _, piece := range []int{1, maxLine, maxLine + 1, len(line)} {
				x := open(t, f.Source, "")
				for part := range slices.Chunk([]byte(line), piece) {
					if err := x.Write(t.Context(), part); err != nil {
						t.Fatal(err)
					}
				}
				if err := x.End(t.Context()); err != nil {
					t.Fatal(err)
				}
				if r := x.Take(); r.Accepted != accepted || r.Rejected != 1-accepted {
					t.Errorf("%d bytes, end %q, pieces of %d: %+v", size, end, piece, r)
				}
				x.Close()
			}
		}
	}
}

// TestQuotesKeepWhatIsLeftOut follows one instrument: quotes, trades, its day, and a late line.
func TestQuotesKeepWhatIsLeftOut(t *testing.T) {
	f := newFeed(t, Options{})
	f.send("", instruments)
	// Sessions of New York on 2 and 3 March 2026 begin at 14:30 UTC.
	at := func(day, hour int) string {
		return fmt.Sprintf(`,"t":%d}`, time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC).UnixMicro())
	}
	for _, c := range []struct{ line, want string }{
		{`{"T":"q","S":"ACME","bp":10,"ap":10.1,"bs":3,"as":4` + at(2, 15), "ACME 10.00×3 10.10×4 last 10.05 day 10.05 10.05 10.05 prev 10.05 vol 0"},
		{`{"T":"q","S":"ACME","bp":10.05` + at(2, 15), "ACME 10.05×3 10.10×4 last 10.07 day 10.05 10.07 10.05 prev 10.05 vol 0"},
		{`{"T":"trade","S":"ACME","p":9.5,"s":7` + at(2, 16), "ACME 10.05×3 10.10×4 last 9.50 day 10.05 10.07 9.50 prev 10.05 vol 7"},
		{`{"T":"q","S":"ACME","ap":20,"as":0` + at(2, 16), "ACME 10.05×3 20.00×0 last 9.50 day 10.05 10.07 9.50 prev 10.05 vol 7"},
		{`{"T":"trade","S":"ACME","p":9.75` + at(3, 14), "ACME 10.05×3 20.00×0 last 9.75 day 10.05 10.07 9.50 prev 10.05 vol 7"},
		{`{"T":"trade","S":"ACME","p":11,"s":2` + at(3, 15), "ACME 10.05×3 20.00×0 last 11.00 day 9.75 11.00 9.75 prev 9.75 vol 2"},
		{`{"T":"trade","S":"ACME","p":8,"s":5` + at(2, 16), "ACME 10.05×3 20.00×0 last 8.00 day 9.75 11.00 8.00 prev 9.75 vol 7"}, // late: counted in the newer day
		{`{"T":"q","S":"ACME","v":100` + at(3, 16), "ACME 10.05×3 20.00×0 last 8.00 day 9.75 11.00 8.00 prev 9.75 vol 100"},
		{`{"T":"trade","S":"ACME","p":8,"s":5` + at(3, 16), "ACME 10.05×3 20.00×0 last 8.00 day 9.75 11.00 8.00 prev 9.75 vol 105"},
		{`{"T":"trade","S":"ACME","p":8,"s":9007199254740990` + at(3, 16), "ACME 10.05×3 20.00×0 last 8.00 day 9.75 11.00 8.00 prev 9.75 vol 9007199254740991"},
	} {
		if r := f.send("", c.line); f.last() != c.want {
			t.Errorf("%s: %s\ngot  %s\nwant %s", c.line, summary(r), f.last(), c.want)
		}
	}
	late := f.ticks[6]
	if late.Due != time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC).UnixMicro() || late.Day != f.ticks[5].Day {
		t.Errorf("a late tick: due %v, day %d", time.UnixMicro(late.Due).UTC(), late.Day)
	}
}

// TestRetry: lines that are sent again double nothing, on the same and on other connections; other sources have their own numbers.
func TestRetry(t *testing.T) {
	f := newFeed(t, Options{})
	f.send("", instruments)
	line := func(n int) string { return fmt.Sprintf(`{"T":"trade","S":"ACME","p":1,"s":1,"n":%d}`+"\n", n) }
	for _, c := range []struct{ source, lines, want string }{
		{"a", line(1) + line(2) + line(2), "+2 -0 =1"},
		{"a", line(1) + line(2) + line(3), "+1 -0 =2"},
		{"b", line(1), "+1 -0 =0"},
		{"a", line(6) + line(5), "+2 -0 =0"},
		{"a", line(4) + line(4) + line(7), "+2 -0 =1"},
		{"a", `{"T":"trade","S":"ACME","p":0,"n":8}`, "+0 -1 =0 1:p"},
		{"a", `{"T":"trade","S":"ACME","p":1,"n":8}`, "+0 -0 =1"},
		{"a", `{"T":"instrument","S":"NEW","n":9}`, "+1 -0 =0"},
		{"a", `{"T":"instrument","S":"NEW","n":9}`, "+0 -0 =1"},
		{"a", `{"T":"trade","S":"NEW","p":1}` + "\n" + `{"T":"trade","S":"NEW","p":1}`, "+2 -0 =0"},
	} {
		if r := f.send(c.source, c.lines); summary(r) != c.want {
			t.Errorf("%s %s: %s, want %s", c.source, c.lines, summary(r), c.want)
		}
	}
	if accepted, rejected, duplicates := f.Lines(); accepted != 15 || rejected != 2 || duplicates != 6 {
		t.Errorf("%d lines accepted, %d rejected, %d duplicates", accepted, rejected, duplicates)
	}
	if v := f.ticks[len(f.ticks)-3].Volume; v != 8 {
		t.Errorf("volume %d, want 8", v)
	}
	if r := f.send("a", line(12)); r.Last != 12 || !slices.Equal(r.Holes, []Range{{10, 11}}) {
		t.Errorf("%+v", r)
	}
	if r := f.stored("a"); r.Last != 12 || !slices.Equal(r.Holes, []Range{{10, 11}}) {
		t.Errorf("progress %+v", r)
	}
	if x := open(t, f.Source, "a"); true {
		if r := x.Take(); r.Last != 12 {
			t.Errorf("a new input: %+v", r)
		}
		x.Close()
	}
	if r := f.stored("none"); r.Last != 0 || r.Holes == nil || len(r.Holes) > 0 {
		t.Errorf("an unknown source: %+v", r)
	}
}

// TestRejectedLinesHaveCome: the n of a rejected line is no hole, whatever is wrong with the line, if it can be read.
func TestRejectedLinesHaveCome(t *testing.T) {
	for _, c := range []struct {
		line string
		last uint64
	}{
		{`{"T":"q","S":"ACME","p":1.005,"n":1}`, 1},
		{`{"T":"q","S":"ACME","p":1,"bid":1,"n":1}`, 1},
		{`{"n":1,"T":"q","S":"ACME","p":1,"p":2}`, 1},
		{`{"n":1,"T":"tick"}`, 1},
		{`{"n":1,"n":2,"T":"q","S":"ACME","p":1}`, 0},
		{`{"n":1,"T":"q","S":"ACME","p":1`, 0},
		{`{"n":1,"bid":1} x`, 0},
		{`{"n":1.5,"bid":1}`, 0},
	} {
		f := newFeed(t, Options{})
		f.send("", instruments)
		if r := f.send("a", c.line); r.Rejected != 1 || r.Last != c.last || len(r.Holes) > 0 {
			t.Errorf("%s: %s, last %d, holes %v, want last %d", c.line, summary(r), r.Last, r.Holes, c.last)
		}
	}
}

// TestInstrumentsAgain: an instrument may come again as it is; not otherwise, and not more than the limit.
func TestInstrumentsAgain(t *testing.T) {
	f := newFeed(t, Options{MaxInstruments: 5})
	for _, c := range []struct{ lines, want string }{
		{instruments, "+4 -0 =0"},
		{instruments + instruments, "+8 -0 =0"},
		{`{"T":"instrument","S":"EURUSD","sector":"fx","decimals":4}`, "+0 -1 =0 1:S"},
		{`{"T":"instrument","S":"N"}` + "\n" + `{"T":"instrument","S":"N","decimals":3}` + "\n" + `{"T":"instrument","S":"N"}`, "+2 -1 =0 2:S"},
		{`{"T":"instrument","S":"M"}`, "+0 -1 =0 1:S"},
	} {
		if r := f.send("", c.lines); summary(r) != c.want {
			t.Errorf("%s: %s, want %s: %+v", c.lines, summary(r), c.want, r.Errors)
		}
	}
	if f.Universe().Len() != 5 {
		t.Errorf("%d instruments", f.Universe().Len())
	}
}

// TestErrorsAreBounded: the counts are whole, the lists are not.
func TestErrorsAreBounded(t *testing.T) {
	f := newFeed(t, Options{})
	var b strings.Builder
	for n := range 300 {
		fmt.Fprintf(&b, `{"T":"x","n":%d}`+"\n", 2*n+2)
	}
	r := f.send("me", b.String())
	if r.Rejected != 300 || len(r.Errors) != maxErrors || r.MoreErrors != 300-maxErrors || len(r.Holes) != maxListed || r.MoreHoles != 300-maxListed || r.Errors[19].Line != 20 {
		t.Errorf("%d rejected, %d errors and %d, %d holes and %d", r.Rejected, len(r.Errors), r.MoreErrors, len(r.Holes), r.MoreHoles)
	}
}

// TestStopped: a source that doesn't run takes nothing, so that a client can send it again.
func TestStopped(t *testing.T) {
	s, err := New(Options{MaxInstruments: 1, MaxLine: 100})
	if err != nil {
		t.Fatal(err)
	}
	x := open(t, s, "me")
	defer x.Close()
	if err := x.Write(t.Context(), []byte(`{"T":"instrument","S":"A","n":1}`+"\n")); !errors.Is(err, ErrStopped) {
		t.Errorf("got %v", err)
	}
	if r := x.Take(); r.Accepted != 0 || r.Last != 0 {
		t.Errorf("%+v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := open(t, newFeed(t, Options{}).Source, "").Write(ctx, []byte("{}\n")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestEvents: trades and statuses are reported with their tick. A correction changes no figure, and a status before the first quote
// makes no tick.
func TestEvents(t *testing.T) {
	f := newFeed(t, Options{LogSize: 100})
	f.send("", instruments)
	event := func(i int) string {
		e := f.Events().Get(f.ticks[i].Event)
		switch {
		case e.Trade != nil:
			return fmt.Sprintf("%+v", *e.Trade)
		case e.Status != nil:
			return fmt.Sprintf("%+v", *e.Status)
		}
		return "none"
	}
	for _, c := range []struct {
		line, event, tick string
		halted            bool
	}{
		{`{"T":"status","S":"ACME","status":"halted"}`, "", "none", false},
		{`{"T":"q","S":"ACME","bp":1,"ap":2}`, "none", "ACME 1.00×0 2.00×0 last 1.50 day 1.50 1.50 1.50 prev 1.50 vol 0", true},
		{`{"T":"status","S":"ACME","status":"resumed","reason":"news"}`, "{State:trading Reason:news}", "ACME 1.00×0 2.00×0 last 1.50 day 1.50 1.50 1.50 prev 1.50 vol 0", false},
		{`{"T":"trade","S":"ACME","p":1.25,"s":3,"id":"7","c":["@","T"],"x":"V"}`, "{Price:125 Size:3 ID:7 Conditions:[@ T] Venue:V Corrects: Cancels:}",
			"ACME 1.00×0 2.00×0 last 1.25 day 1.50 1.50 1.25 prev 1.50 vol 3", false},
		{`{"T":"trade","S":"ACME","p":9,"s":4,"corrects":"7"}`, "{Price:900 Size:4 ID: Conditions:[] Venue: Corrects:7 Cancels:}",
			"ACME 1.00×0 2.00×0 last 1.25 day 1.50 1.50 1.25 prev 1.50 vol 3", false},
		{`{"T":"trade","S":"ACME","p":9,"s":4,"cancels":"7"}`, "{Price:900 Size:4 ID: Conditions:[] Venue: Corrects: Cancels:7}",
			"ACME 1.00×0 2.00×0 last 1.25 day 1.50 1.50 1.25 prev 1.50 vol 3", false},
		{`{"T":"status","S":"ACME","status":"halted"}`, "{State:halted Reason:}", "ACME 1.00×0 2.00×0 last 1.25 day 1.50 1.50 1.25 prev 1.50 vol 3", true},
		{`{"T":"status","S":"ACME","status":"auction"}`, "{State:auction Reason:}", "ACME 1.00×0 2.00×0 last 1.25 day 1.50 1.50 1.25 prev 1.50 vol 3", true},
		{`{"T":"q","S":"ACME","bp":1.5}`, "none", "ACME 1.50×0 2.00×0 last 1.25 day 1.50 1.50 1.25 prev 1.50 vol 3", true},
	} {
		before := len(f.ticks)
		if r := f.send("", c.line); r.Accepted != 1 {
			t.Fatalf("%s: %+v", c.line, r)
		}
		if len(f.ticks) == before {
			if c.event != "" {
				t.Errorf("%s: no tick", c.line)
			}
			continue
		}
		tick := f.ticks[len(f.ticks)-1]
		if got := event(len(f.ticks) - 1); got != c.event || f.last() != c.tick || tick.Halted != c.halted {
			t.Errorf("%s: %s, %s, halted %v, want %s, %s", c.line, got, f.last(), tick.Halted, c.event, c.tick)
		}
	}
	if r := f.send("", `{"T":"trade","S":"EURUSD","p":1,"cancels":"1"}`); summary(r) != "+0 -1 =0 1:bp" {
		t.Error(summary(r))
	}
}

// TestCountStarts: the volume of trades counts from the first one; of what a feed counts itself, that is unknown.
func TestCountStarts(t *testing.T) {
	f := newFeed(t, Options{})
	x := open(t, f.Source, "")
	defer x.Close()
	for _, line := range []string{
		instruments, `{"T":"trade","S":"ACME","p":2,"s":5}`, `{"T":"status","S":"ACME","status":"halted"}`, `{"T":"trade","S":"ACME","p":2,"s":6}`,
		`{"T":"q","S":"EURUSD","bp":1,"ap":2,"v":70}`, `{"T":"q","S":"EURUSD","v":75}`,
	} {
		if err := x.Write(t.Context(), []byte(line+"\n")); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, k := range f.ticks {
		got = append(got, fmt.Sprint(k.Volume, k.CountStarts))
	}
	if want := []string{"5 true", "5 false", "11 false", "70 false", "75 false"}; !slices.Equal(got, want) {
		t.Errorf("volumes and whether the count starts there: %q, want %q", got, want)
	}
}

// TestInvalidInstrumentAfterValid: the line is rejected, and isn't taken for a quote of the first instrument.
func TestInvalidInstrumentAfterValid(t *testing.T) {
	f := newFeed(t, Options{})
	r := f.send("", `{"T":"instrument","S":"A","sector":"x"}`+"\n"+`{"T":"instrument","S":"B","sector":"x","decimals":99}`+"\n"+`{"T":"q","S":"A","p":1}`+"\n"+
		`{"T":"instrument","S":"C"}`+"\n"+`{"T":"instrument","S":"D","decimals":99}`+"\n")
	if r.Accepted != 3 || r.Rejected != 2 || r.Errors[0].Field != "decimals" || r.Errors[1].Field != "decimals" || len(f.ticks) != 1 {
		t.Errorf("%+v, %d ticks", r, len(f.ticks))
	}
}

// TestResultsOfParts: the results of the parts of an input add up to that of the whole.
func TestResultsOfParts(t *testing.T) {
	var all Result
	for part := range uint64(3) {
		r := Result{Accepted: 1, Rejected: 15, Duplicates: 2, Last: part, Holes: []Range{{part, part}}, MoreHoles: int(part), MoreErrors: 5}
		for line := range uint64(10) {
			r.Errors = append(r.Errors, LineError{Line: line + 1})
		}
		all.Add(&r, 100*part)
	}
	if all.Accepted != 3 || all.Rejected != 45 || all.Duplicates != 6 || all.Last != 2 || !slices.Equal(all.Holes, []Range{{2, 2}}) || all.MoreHoles != 2 {
		t.Errorf("%+v", all)
	}
	if len(all.Errors) != 20 || all.Errors[9].Line != 10 || all.Errors[10].Line != 101 || all.MoreErrors != 25 {
		t.Errorf("%d errors and %d more: %+v", len(all.Errors), all.MoreErrors, all.Errors)
	}
}

// TestErrorsAreInTheOrderOfLines: also those of instruments, which are added together.
func TestErrorsAreInTheOrderOfLines(t *testing.T) {
	f := newFeed(t, Options{MaxLine: 100})
	changed := `{"T":"instrument","S":"A","decimals":3}` + "\n"
	lines := `{"T":"instrument","S":"A"}` + "\n" + changed + strings.Repeat("x", 200) + "\n{}\n" + changed + "{}\n"
	r := f.send("", lines)
	for i, e := range r.Errors {
		if e.Line != uint64(i+2) {
			t.Errorf("error %d is of line %d: %s", i, e.Line, e.Reason)
		}
	}
	if r.Accepted != 1 || len(r.Errors) != 5 {
		t.Errorf("%+v", r)
	}
}

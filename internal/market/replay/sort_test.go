package replay

import (
	"bufio"
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
)

// limitMemory lowers maxInMemory for a test.
func limitMemory(t *testing.T, rows int) {
	t.Helper()
	before := maxInMemory
	maxInMemory = rows
	t.Cleanup(func() { maxInMemory = before })
}

// TestSortOnDisk: rows in any order are replayed in that of their time, and those of one time in that of the file.
func TestSortOnDisk(t *testing.T) {
	const rows = 300
	rng := testkit.Rand(t)
	var text strings.Builder
	text.WriteString("time,symbol,price,size\n")
	for i, at := range rng.Perm(rows) {
		fmt.Fprintf(&text, "%d,%s,%d.%03d,%d\n", 1772461800+at/3, []string{"A", "B"}[at%2], 100+at, i, at)
	}
	path := writeFile(t, "a.csv", text.String())
	var want []quote.Tick
	for _, memory := range []int{rows, 100, 7, 2} {
		limitMemory(t, memory)
		r := newSource(t, path, func(o *Options) { o.Loop = true })
		if onDisk := r.scan.sorted.file != nil; onDisk != (memory < rows) {
			t.Errorf("%d rows in memory: on disk %t", memory, onDisk)
		}
		ticks := firstTicks(t, r, 2*rows)
		for i := range ticks {
			ticks[i].Due = 0
		}
		if want == nil {
			want = ticks
		}
		for i, k := range ticks {
			if k != want[i] {
				t.Fatalf("%d rows in memory: tick %d is %+v, want %+v", memory, i, k, want[i])
			}
			if i%rows > 0 && k.Last/3000 < ticks[i-1].Last/3000-100 {
				t.Fatalf("tick %d of price %d after one of %d", i, k.Last, ticks[i-1].Last)
			}
		}
	}
}

// TestRowsAtOneTime: two bars of a symbol at one time are an error, wherever they are in the file, and so are ticks at one date.
func TestRowsAtOneTime(t *testing.T) {
	const bars, ticks = "time,symbol,open,high,low,close\n", "date,price\n"
	for _, c := range []struct{ text, want string }{
		{bars + "2026-03-02,A,1,1,1,1\n2026-03-02,A,1,1,1,1\n", "a.csv:3: time: the same time as the row before of A, in line 2"},
		{bars + "2026-03-02,A,1,1,1,1\n2026-03-03,A,1,1,1,1\n2026-03-02,A,2,2,2,2\n", "a.csv:4: time: the same time as the row before of A, in line 2"},
		{bars + "2026-03-02,A,1,1,1,1\n2026-03-02,B,1,1,1,1\n", ""},
		{ticks + "2026-03-02,1\n2026-03-02,2\n", "a.csv:3: date: the same time"},
		{"date,price,bar\n2026-03-02,1,1\n2026-03-02,2,2\n", "if a column has its clock (unused are bar), set feed.format.columns to NAME=clock"},
		{ticks + "2026-03-02 10:00,1\n2026-03-02 10:00,2\n", ""},
	} {
		_, err := openSource(t, writeFile(t, "a.csv", c.text), nil)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
	r := replayFile(t, "a.csv", bars+"2026-03-02,A,1,1,1,1\n2026-03-03,A,3,3,3,3\n2026-03-02,A,2,2,2,2\n", func(o *Options) { o.OnBadRow = SkipOnBadRows })
	if len(r.ticks) != 8 || r.rows != 2 || r.scan.bad != 1 || r.ticks[7].Last != 300 {
		t.Errorf("%d ticks of %d rows, %d skipped", len(r.ticks), r.rows, r.scan.bad)
	}
}

func FuzzEntry(f *testing.F) {
	f.Add(int64(1772461800000000), 5, int32(3), uint16(0xffff), int64(-4032), "a1")
	f.Fuzz(func(t *testing.T, at int64, line int, id int32, has uint16, value int64, text string) {
		want := entry{at: at, line: line & 0xffffff, id: quote.ID(id & 0xffff), has: has}
		for col := firstText; col < firstPrice; col++ {
			if want.hasValue(col) {
				want.setText(col, text[:len(text)/int(col)])
			}
		}
		for col := firstPrice; col < columnCount; col++ {
			if want.hasValue(col) {
				want.values[col-firstPrice] = value + int64(col)
			}
		}
		var got entry
		if err := got.read(bufio.NewReader(bytes.NewReader(want.appendTo(nil)))); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	})
}

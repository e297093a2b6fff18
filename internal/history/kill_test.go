package history

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
)

const (
	killSymbols = 7
	killBatch   = 20 // ticks between two saves
)

// killTicks returns the first n ticks of the process that TestKill kills, always the same.
func killTicks(n int) []quote.Tick {
	r := rand.New(rand.NewPCG(7, 7))
	ticks := make([]quote.Tick, n)
	var last [killSymbols]quote.Price
	var volume [killSymbols]quote.Size
	at := 0.0
	for i := range ticks {
		id := r.IntN(killSymbols)
		at += 3 * r.ExpFloat64()
		last[id] += quote.Price(r.IntN(21) - 10)
		volume[id] += quote.Size(r.IntN(500))
		ticks[i] = tick(at, last[id], volume[id])
		ticks[i].Symbol = quote.ID(id)
	}
	return ticks
}

// writeUntilKilled adds ticks to the store in a directory, from the one whose number is in TEST_FROM, and saves after every batch.
// Before and after each save it prints how many are added.
func writeUntilKilled(dir string) {
	from, _ := strconv.Atoi(os.Getenv("TEST_FROM"))
	list := make([]quote.Instrument, killSymbols)
	for i := range list {
		list[i] = quote.Instrument{Symbol: fmt.Sprintf("S%d", i), Decimals: 2, Sector: "test"}
	}
	u, err := quote.NewUniverse(list)
	if err != nil {
		panic(err)
	}
	s, err := Open(Options{Universe: u, Dir: dir, Feed: "test", Keep: forever, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), saveEvery: time.Hour})
	if err != nil {
		panic(err)
	}
	ticks := killTicks(from + 200_000)
	for ; from+killBatch <= len(ticks); from += killBatch {
		s.Add(ticks[from : from+killBatch])
		fmt.Println("adds", from+killBatch)
		if err := s.saved.save(s, nil); err != nil {
			panic(err)
		}
		fmt.Println("saved", from+killBatch)
	}
}

// TestKill kills a process that writes, at random. Each time the file opens, with all bars of what was saved, and of what was being
// saved all or none.
func TestKill(t *testing.T) {
	r, dir := testkit.Rand(t), t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	u, stored := symbols(t, killSymbols), 0
	for range testkit.Rounds(12, 500) {
		p := exec.Command(self)
		p.Env, p.Stderr = append(os.Environ(), "TEST_WRITE="+dir, fmt.Sprint("TEST_FROM=", stored)), t.Output()
		out, err := p.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		lines.Scan() // it has begun
		timer := time.AfterFunc(time.Duration(r.Int64N(int64(40*time.Millisecond))), func() { _ = p.Process.Kill() })
		saved, adding := stored, stored
		for ok := true; ok; ok = lines.Scan() {
			what, n, _ := strings.Cut(lines.Text(), " ")
			count, err := strconv.Atoi(n)
			if err != nil {
				break // the last line is cut off
			}
			if adding = max(adding, count); what == "saved" {
				saved = count
			}
		}
		_, _ = io.Copy(io.Discard, out)
		_ = p.Wait()
		timer.Stop()
		if adding == stored {
			t.Fatal("the process has written nothing")
		}
		// A line may be lost with the process, so it may have begun one more batch.
		stored = checkKilled(t, u, dir, []int{saved, adding, adding + killBatch})
	}
	t.Logf("%d ticks", stored)
}

// checkKilled checks that a store has the bars of one of several numbers of ticks, and returns that.
func checkKilled(t *testing.T, u *quote.Universe, dir string, numbers []int) int {
	t.Helper()
	o := options(t, u, dir)
	s := open(t, o)
	defer shut(t, s)
	var wrong string
	for _, n := range slices.Compact(numbers) {
		if wrong = killedDiffers(t, s, killTicks(n)); wrong == "" {
			return n
		}
	}
	t.Fatalf("neither of %v ticks: %s", numbers, wrong)
	return 0
}

func killedDiffers(t *testing.T, s *Store, ticks []quote.Tick) string {
	t.Helper()
	var of [killSymbols][]quote.Tick
	for _, k := range ticks {
		of[k.Symbol] = append(of[k.Symbol], k)
	}
	for id := range of {
		for _, i := range Intervals() {
			p, err := s.Bars(quote.ID(id), i, Latest, math.MaxInt32)
			if err != nil {
				t.Fatal(err)
			}
			if want := direct(of[id], i.Duration().Microseconds()); !slices.Equal(p.Bars, want) {
				return fmt.Sprintf("symbol %d, %s: %s", id, i, difference(p.Bars, want))
			}
		}
	}
	return ""
}

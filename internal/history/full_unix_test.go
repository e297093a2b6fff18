//go:build unix

package history

import (
	"log/slog"
	"math"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
)

// TestFullDisk limits the size of files, which fails as a full disk does: saving fails and is reported, bars can be read, and
// nothing is missing once there is space again.
func TestFullDisk(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit := func(size uint64) {
		t.Helper()
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: before.Max}); err != nil {
			t.Fatal(err)
		}
	}
	defer limit(uint64(before.Cur))

	var logged strings.Builder
	o := options(t, symbols(t, 60), t.TempDir())
	o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	s := open(t, o)
	info, err := os.Stat(s.saved.path)
	if err != nil {
		t.Fatal(err)
	}
	limit(uint64(info.Size()) + 4096)
	ticks := randomTicks(testkit.Rand(t), 3000)
	all, failed := make([]quote.Tick, 60), 0
	for rest := ticks; len(rest) > 0; rest = rest[min(len(rest), 300):] {
		for _, k := range rest[:min(len(rest), 300)] {
			for id := range all {
				all[id], all[id].Symbol = k, quote.ID(id)
			}
			s.Add(all)
		}
		err := s.saved.save(s, nil)
		if s.saved.report(err); err != nil {
			failed++
		}
		if failed == 1 {
			if p, err := s.Bars(7, Minute, Latest, 5); err != nil || len(p.Bars) != 5 {
				t.Errorf("on a full disk: %d bars, %v", len(p.Bars), err)
			}
			limit(uint64(before.Cur))
		}
	}
	if failed != 1 || s.Failures() != 1 {
		t.Errorf("%d saves failed, want the one on a full disk", failed)
	}
	if text := logged.String(); strings.Count(text, "can't be saved; streams go on") != 1 || strings.Count(text, "is saved again") != 1 {
		t.Errorf("logged %s", text)
	}
	shut(t, s)
	s = open(t, o)
	for _, i := range Intervals() {
		want := direct(ticks, i.Duration().Microseconds())
		if p, err := s.Bars(59, i, Latest, math.MaxInt32); err != nil || !slices.Equal(p.Bars, want) {
			t.Errorf("%s: %v; %s", i, err, difference(p.Bars, want))
		}
	}
	shut(t, s)
}

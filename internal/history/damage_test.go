package history

import (
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ticklane/internal/quote"
	"ticklane/internal/testkit"
)

// TestDamagedFile: whatever happens to the file, a store opens, and returns right bars or an error. A file that can't be used is
// renamed and reported.
func TestDamagedFile(t *testing.T) {
	r := testkit.Rand(t)
	u := symbols(t, 3)
	source := t.TempDir()
	s := open(t, options(t, u, source))
	ticks := randomTicks(r, 4000)
	for rest := ticks; len(rest) > 0; rest = rest[min(len(rest), 300):] {
		s.Add(rest[:min(len(rest), 300)])
		if err := s.saved.save(s, nil); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, s)
	intact, err := os.ReadFile(filepath.Join(source, fileName))
	if err != nil {
		t.Fatal(err)
	}
	damaged := func(name string, content []byte, mustRename bool) {
		t.Helper()
		dir := t.TempDir()
		path := filepath.Join(dir, fileName)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		var logged strings.Builder
		o := options(t, u, dir)
		o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
		s, err := Open(o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		aside, _ := filepath.Glob(path + ".damaged-*")
		reported := strings.Contains(logged.String(), "stored history is damaged; it was renamed and a new one begins")
		if len(aside) > 1 || reported != (len(aside) == 1) || mustRename && !reported {
			t.Errorf("%s: renamed %v, logged %s", name, aside, logged.String())
		}
		for _, i := range Intervals() {
			p, err := s.Bars(0, i, Latest, math.MaxInt32)
			want := direct(ticks, i.Duration().Microseconds())
			if err == nil && !reported && len(content) > 0 && !slices.Equal(p.Bars, want) {
				t.Errorf("%s: %s: wrong bars without an error: %s", name, i, difference(p.Bars, want))
			}
			if reported && (err != nil || len(p.Bars) > 0) {
				t.Errorf("%s: a new file has %d bars, %v", name, len(p.Bars), err)
			}
		}
		s.Add(ticks[:1])
		_ = s.Close(nil) // may fail, where a damaged page is written
	}
	damaged("text", []byte(strings.Repeat("time,open,high,low,close\n", 3000)), true)
	damaged("zeros", make([]byte, len(intact)), true)
	damaged("half", intact[:len(intact)/2], true)
	damaged("a few bytes", intact[:100], true)
	damaged("nothing", nil, false) // as a new one
	for range testkit.Rounds(40, 3000) {
		content := slices.Clone(intact)
		at := r.IntN(len(content))
		switch r.IntN(3) {
		case 0:
			content[at] ^= 1 << r.IntN(8)
			damaged("a flipped bit", content, false)
		case 1:
			for i := at; i < min(len(content), at+4096); i++ {
				content[i] = byte(r.Uint32())
			}
			damaged("a page of noise", content, false)
		default:
			clear(content[at:min(len(content), at+8192)])
			damaged("two pages of zeros", content, false)
		}
	}
}

// TestTruncatedWhileOpen: a file that another program truncates is an error, not the end of the process.
func TestTruncatedWhileOpen(t *testing.T) {
	o := options(t, symbols(t, 1), t.TempDir())
	o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	s := open(t, o)
	for rest := randomTicks(testkit.Rand(t), 6000); len(rest) > 0; rest = rest[min(len(rest), 300):] {
		s.Add(rest[:min(len(rest), 300)])
		if err := s.saved.save(s, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(s.saved.path, 8192); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Bars(0, TenSeconds, midnight+3600e6, 1000); err == nil || !strings.Contains(err.Error(), "stored bars can't be read") {
		t.Errorf("error %v", err)
	}
	if p, err := s.Bars(0, TenSeconds, Latest, 10); err != nil || len(p.Bars) != 10 {
		t.Errorf("the bars in memory: %d, %v", len(p.Bars), err)
	}
	s.Add([]quote.Tick{tick(1e6, 1, 1)})
	if err := s.saved.save(s, nil); err == nil {
		t.Error("saving succeeded")
	}
	close(s.saved.quit)
	<-s.saved.done
}

package replay

import (
	"os"
	"strings"
	"testing"

	"ticklane/internal/quote"
)

// TestFileThatIsAppendedTo: only the rows of the start are replayed, in each pass.
func TestFileThatIsAppendedTo(t *testing.T) {
	path := writeFile(t, "a.csv", "time,price\n2026-03-02 10:00:00,1\n2026-03-02 10:00:01,2\n")
	r := newSource(t, path, func(o *Options) { o.Loop = true })
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("2026-03-02 10:00:02,3\nnonsense\n"); err != nil {
		t.Fatal(err)
	}
	for i, k := range firstTicks(t, r, 5) {
		if want := quote.Price(100 + 100*(i%2)); k.Last != want {
			t.Errorf("tick %d is at %d, want %d", i, k.Last, want)
		}
	}
}

// TestFileThatIsRemoved: its replay goes on.
func TestFileThatIsRemoved(t *testing.T) {
	r := newSource(t, writeFile(t, "a.csv", "time,price\n2026-03-02,1\n2026-03-03,2\n"), nil)
	if err := os.Remove(r.options.File); err != nil {
		t.Fatal(err)
	}
	if ticks := replayAll(t, r); len(ticks) != 2 {
		t.Errorf("%d ticks, want 2", len(ticks))
	}
}

// TestFileThatChanges: a file that is written anew or cut ends the feed with an error. One that was sorted isn't read again.
func TestFileThatChanges(t *testing.T) {
	for _, c := range []struct{ name, before, after, want string }{
		{"written anew", "2026-03-02,A,1\n", "2026-03-02,B,1\n", "has changed since the start"},
		{"shorter", "2026-03-02,A,1\n2026-03-03,A,1\n", "2026-03-02,A,1\n", "has become shorter"},
		{"empty", "2026-03-02,A,1\n", "", "has become shorter"},
	} {
		path := writeFile(t, "a.csv", "time,symbol,price\n"+c.before)
		r := newSource(t, path, nil)
		if err := os.WriteFile(path, []byte("time,symbol,price\n"+c.after), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := r.Run(t.Context(), func([]quote.Tick) {}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}

	// In the middle of a pass, beyond what is read ahead.
	long := strings.Repeat("2026-03-02 10:00:00,A,1\n", 20_000)
	for name, change := range map[string]func(path string) error{
		"cut": func(path string) error { return os.Truncate(path, int64(len(long)/2)) },
		"other rows": func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteAt([]byte(strings.ReplaceAll(long[:96_000], "A", "B")), 18+240_000)
				f.Close()
			}
			return err
		},
	} {
		path := writeFile(t, "a.csv", "time,symbol,price\n"+long)
		r := newSource(t, path, nil)
		changed := false
		err := r.Run(t.Context(), func([]quote.Tick) {
			if !changed {
				changed = true
				if err := change(path); err != nil {
					t.Fatal(err)
				}
			}
		})
		if err == nil || !strings.Contains(err.Error(), "has changed since the start") {
			t.Errorf("%s: error %v", name, err)
		}
	}

	path := writeFile(t, "a.csv", "time,symbol,price\n2026-03-03,A,2\n2026-03-02,A,1\n")
	r := newSource(t, path, nil)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if ticks := replayAll(t, r); len(ticks) != 2 || ticks[0].Last != 100 {
		t.Errorf("ticks %+v", ticks)
	}
}

// TestFileThatIsBeingWritten: a last line without end may be a part of one.
func TestFileThatIsBeingWritten(t *testing.T) {
	path := writeFile(t, "a.csv", "time,price\n2026-03-02,184.2")
	in, err := openInput(t.Context(), path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	if err := in.checkWhole(); err != nil {
		t.Errorf("before: %v", err)
	}
	if err := os.WriteFile(path, []byte("time,price\n2026-03-02,184.27\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := in.checkWhole(); err == nil || !strings.Contains(err.Error(), "is being written, and its last line isn't complete") {
		t.Errorf("error %v", err)
	}
}

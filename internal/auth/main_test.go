package auth

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"ticklane/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// write writes a file of the test and returns its path.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var rewrites atomic.Int64

// rewrite replaces a file, with a time of change that differs even on coarse clocks.
func rewrite(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Duration(rewrites.Add(1))*time.Second)); err != nil {
		t.Fatal(err)
	}
}

//go:build unix

package audit

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestReopen is for Unix only: on Windows an open file can't be renamed.
func TestReopen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name, old := filepath.Join(dir, "audit.log"), filepath.Join(dir, "audit.log.1")
	l := newLog(t, name)
	var all sync.WaitGroup
	const each = 300
	for range 4 {
		all.Go(func() {
			for range each {
				l.Record(Event{Kind: SignIn})
			}
		})
	}
	if err := os.Rename(name, old); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	l.Record(Event{Kind: SignOut})
	l.Close()
	after := lines(t, name)
	if n := len(lines(t, old)) + len(after); n != 4*each+1 || l.Lost() != 0 || after[len(after)-1]["event"] != "sign_out" {
		t.Errorf("%d records, %d lost", n, l.Lost())
	}
}

//go:build unix

package replay

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestNamedPipe is rejected without waiting for its writer.
func TestNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openSource(t, path, nil); err == nil || !strings.Contains(err.Error(), "is a pipe, which can be read only once: send it to standard input, with feed.file -") {
		t.Errorf("error %v", err)
	}
}

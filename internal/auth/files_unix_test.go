//go:build unix

package auth

import (
	"os"
	"path/filepath"
	"testing"
)

// A server that runs as another user must be able to read the file after ticklane token has written it.
func TestWrittenFilesKeepTheirAccess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	access := func(mode os.FileMode, uid int) {
		t.Helper()
		if err := WriteTokens(file, nil); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if u, _ := owner(info); info.Mode().Perm() != mode || u != uid {
			t.Errorf("mode %v, user %d; want %v, %d", info.Mode().Perm(), u, mode, uid)
		}
	}
	access(0o600, os.Getuid())
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	access(0o644, os.Getuid())
	if os.Getuid() != 0 {
		return // only root may give a file to another user
	}
	if err := os.Chown(file, 65532, 65532); err != nil {
		t.Fatal(err)
	}
	access(0o644, 65532)
}

//go:build unix

package auth

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
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

// TestReplacedLink: what a link names is replaced. A server that reads the file by its own name must see a revocation, too.
func TestReplacedLink(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "real.yaml"), filepath.Join(dir, "tokens.yaml")
	token, _ := NewToken("a", readAll, time.Time{})
	if err := errors.Join(WriteTokens(file, nil), os.Symlink("real.yaml", link), WriteTokens(link, []Token{token})); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadTokens(file); err != nil || len(got) != 1 {
		t.Errorf("%d tokens, %v", len(got), err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
}

// TestReplacedFileIsLocked: with the lock file of an ended process, or a symbolic link in its place, nothing is written.
func TestReplacedFileIsLocked(t *testing.T) {
	dir := t.TempDir()
	file, victim := filepath.Join(dir, "tokens.yaml"), write(t, "victim", "mine")
	if err := os.Symlink(victim, file+".lock"); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		if err := WriteTokens(file, nil); !errors.Is(err, errFileLocked) {
			t.Errorf("%v", err)
		}
	})
	if text, err := os.ReadFile(victim); string(text) != "mine" {
		t.Errorf("the file that the link names has %q, %v", text, err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the file was written")
	}
}

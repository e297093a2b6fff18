package auth

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// maxFile bounds the files that are read, in bytes.
const maxFile = 64 << 20

// watchedFile is a file that is read again when it was written or replaced. It is safe for concurrent use.
type watchedFile struct {
	name string

	mu    sync.Mutex
	state os.FileInfo // when it was last read, nil if it was missing
}

// now returns the state of the file, nil if it is missing.
func (f *watchedFile) now() os.FileInfo {
	info, err := os.Stat(f.name)
	if err != nil {
		return nil
	}
	return info
}

// changed reports whether the file has changed since read.
func (f *watchedFile) changed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if now == nil || f.state == nil {
		return now != f.state
	}
	// A file that replaces another within the resolution of its times is another file.
	return now.Size() != f.state.Size() || !now.ModTime().Equal(f.state.ModTime()) || !os.SameFile(now, f.state)
}

// read returns the content. A file that is written meanwhile counts as changed afterwards, as does one that exists but can't be
// read, for instance because too many files are open.
func (f *watchedFile) read() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = f.now()
	text, err := readFile(f.name)
	if err != nil && !errors.Is(err, errTooLong) {
		f.state = nil
	}
	return text, err
}

// append appends lines. A program that replaces the file at the same time may have read it before them: then they are appended to
// the new one, too.
func (f *watchedFile) append(lines []byte) error {
	for range 10 {
		if current, err := f.appendOnce(lines); err != nil || current {
			return err
		}
	}
	return fmt.Errorf("%s: replaced by other processes during each of 10 attempts", f.name)
}

// appendOnce appends lines and reports whether the file still has this name afterwards.
func (f *watchedFile) appendOnce(lines []byte) (current bool, err error) {
	file, err := os.OpenFile(f.name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return false, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	if size := info.Size(); size > 0 {
		last := make([]byte, 1)
		if _, err := file.ReadAt(last, size-1); err == nil && last[0] != '\n' {
			lines = slices.Concat([]byte{'\n'}, lines) // after a line that was written by hand, or in part
		}
	}
	if _, err := file.Write(lines); err != nil {
		return false, err
	}
	f.wrote(len(lines))
	if err := file.Sync(); err != nil {
		return false, err
	}
	now, err := os.Stat(f.name)
	return err == nil && os.SameFile(info, now), nil
}

// wrote records that the caller has appended n bytes, so that they alone are no change.
func (f *watchedFile) wrote(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if now == nil || f.state != nil && !os.SameFile(now, f.state) {
		return
	}
	before := int64(0)
	if f.state != nil {
		before = f.state.Size()
	}
	if now.Size() == before+int64(n) {
		f.state = now
	}
}

// errFileLocked means that another process is replacing the file, or ended while it did.
var errFileLocked = errors.New("another ticklane process is changing the file; if none is running, remove the lock file")

// lockWait is how long a change waits for that of another process.
const lockWait = 5 * time.Second

// replaceFile replaces a file atomically by what change makes of its content, which is nil if it is missing. The new content is written
// to a lock file, name with the suffix .lock, which then replaces the file. While the lock file exists, other callers wait up to wait and
// then return an error that wraps errFileLocked. The mode and the owner of the old file are kept, since the server that reads it may run
// as another user; only the owner may read a new one. If name is a symbolic link, its target is replaced.
func replaceFile(name string, wait time.Duration, change func(old []byte) ([]byte, error)) (err error) {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	f, err := createLock(name+".lock", wait)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	old, err := readFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := change(old)
	if err != nil {
		return err
	}
	if _, err = f.Write(text); err == nil {
		err = errors.Join(keepAccess(f, name), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// createLock creates a file and retries while it exists, for up to wait. O_EXCL doesn't follow symbolic links.
func createLock(name string, wait time.Duration) (*os.File, error) {
	for until := time.Now().Add(wait); ; time.Sleep(10 * time.Millisecond) {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
		if !time.Now().Before(until) {
			return nil, fmt.Errorf("%s exists: %w", name, errFileLocked)
		}
	}
}

// keepAccess gives a file the mode and the owner of the file name, if that exists. It changes only what differs, since the
// systemd unit doesn't allow changes of owners.
func keepAccess(f *os.File, name string) error {
	old, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	now, statErr := f.Stat()
	if err = errors.Join(err, statErr); err != nil {
		return err
	}
	if uid, gid := owner(old); uid >= 0 {
		if u, g := owner(now); u != uid || g != gid {
			if err := f.Chown(uid, gid); err != nil {
				return fmt.Errorf("keep the owner of %s: %w; write it as its owner or as root", name, err)
			}
		}
	}
	if old.Mode().Perm() == now.Mode().Perm() {
		return nil
	}
	return f.Chmod(old.Mode().Perm())
}

// readFile reads a regular file of at most maxFile bytes.
func readFile(name string) ([]byte, error) {
	if name == "" {
		return nil, errors.New("missing: want the name of a file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: %w", name, errTooLong)
	}
	return text, nil
}

var errTooLong = fmt.Errorf("larger than %d MiB", maxFile>>20)

// minSecret is the least length of a secret, in bytes: that of its hash, SHA-256 (RFC 7518 §3.2).
const minSecret = 32

// readSecret reads a secret without the line end after it. The errors don't contain it.
func readSecret(name string, least int) ([]byte, error) {
	text, err := readFile(name)
	if err != nil {
		return nil, err
	}
	return checkSecret(name, text, least)
}

// checkSecret returns the secret that the text of a file contains.
func checkSecret(name string, text []byte, least int) ([]byte, error) {
	secret := bytes.TrimRight(text, "\r\n")
	if bytes.Contains(secret, []byte("-----BEGIN")) {
		return nil, fmt.Errorf("%s: is a PEM file; want a random secret: a key that others know must not be used as one", name)
	}
	if len(secret) < least {
		return nil, fmt.Errorf("%s: %d bytes; want a random secret of at least %d, such as from: openssl rand -base64 48", name, len(secret), least)
	}
	return secret, nil
}

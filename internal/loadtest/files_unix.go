//go:build unix

package loadtest

import "golang.org/x/sys/unix"

// openFiles raises the soft limit of open files if necessary, and returns how many this process may open.
func openFiles(needed uint64) (allowed uint64, err error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, err
	}
	if uint64(l.Cur) >= needed {
		return uint64(l.Cur), nil
	}
	hard := l.Max
	l.Cur = hard
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, err
	}
	return uint64(hard), nil
}

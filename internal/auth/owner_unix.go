//go:build unix

package auth

import (
	"os"
	"syscall"
)

// owner returns the IDs of a file's user and group, or -1 if they aren't known.
func owner(info os.FileInfo) (uid, gid int) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid), int(s.Gid)
	}
	return -1, -1
}

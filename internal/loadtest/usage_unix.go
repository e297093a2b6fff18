//go:build unix

package loadtest

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns the user and system time of this process so far (getrusage(2)).
func cpuTime() time.Duration {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

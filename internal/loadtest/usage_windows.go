package loadtest

import (
	"time"

	"golang.org/x/sys/windows"
)

// cpuTime is this process's user and system time so far.
func cpuTime() time.Duration {
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &created, &exited, &kernel, &user); err != nil {
		return 0
	}
	// A time span in a Filetime counts 100 ns; Nanoseconds would shift it by the epoch.
	ticks := func(f windows.Filetime) int64 { return int64(f.HighDateTime)<<32 | int64(f.LowDateTime) }
	return time.Duration(ticks(kernel)+ticks(user)) * 100
}

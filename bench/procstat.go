package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// userSystem returns the CPU time of a process in user space and in the kernel, in steps of 10 ms.
func userSystem(pid int) (user, system time.Duration) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0, 0
	}
	u, _ := strconv.ParseInt(f[11], 10, 64)
	s, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(u) * 10 * time.Millisecond, time.Duration(s) * 10 * time.Millisecond
}

// rss returns a process's resident memory, and the most since its start or the last resetPeak, in bytes.
func rss(pid int) (now, peak int64) {
	f := fields(fmt.Sprintf("/proc/%d/status", pid))
	return f["VmRSS"] << 10, f["VmHWM"] << 10
}

// resetPeak lets the peak of a process's resident memory start from now (proc(5), clear_refs).
func resetPeak(pid int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// Counters of the kernel since its start, in /proc/net/netstat.
const (
	listenOverflows = "ListenOverflows" // connections dropped because a listen queue was full
	receiveDrops    = "TCPRcvQDrop"     // segments dropped because the memory for TCP was used up
)

// netstat returns a counter of the kernel's TCP.
func netstat(counter string) int64 {
	b, _ := os.ReadFile("/proc/net/netstat")
	var names []string
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || f[0] != "TcpExt:":
		case names == nil:
			names = f
		default:
			for i, name := range names {
				if name == counter && i < len(f) {
					n, _ := strconv.ParseInt(f[i], 10, 64)
					return n
				}
			}
		}
	}
	return 0
}

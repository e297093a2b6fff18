package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cpu returns the CPU time, user and system, of all threads of a process, including those that have ended. It equals
// utime + stime of /proc/PID/stat, but is exact to nanoseconds instead of hundredths of a second.
func cpu(pid int) (time.Duration, error) {
	const schedClock = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedClock), &t); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// busy returns the time that all cores together were busy, or used by the host of a virtual machine, since the start of the
// machine. The kernel counts it in hundredths of a second.
func busy() time.Duration {
	b, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(b), "\n")
	n := int64(0)
	for i, f := range strings.Fields(line) {
		if i == 0 || i == 4 || i == 5 || i > 8 { // the name, idle and waiting time, and guest time, which is part of user time
			continue
		}
		v, _ := strconv.ParseInt(f, 10, 64)
		n += v
	}
	return time.Duration(n) * 10 * time.Millisecond
}

// switches returns the context switches of all threads of a process.
func switches(pid int) int64 {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	n := int64(0)
	for _, t := range tasks {
		for name, v := range fields(t) {
			if strings.HasSuffix(name, "ctxt_switches") {
				n += v
			}
		}
	}
	return n
}

// Memory is that of a process, in bytes.
type Memory struct {
	RSS  int64 `json:"rss"`
	PSS  int64 `json:"pss"`
	Anon int64 `json:"anon"`
}

func memory(pid int) Memory {
	f := fields(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	return Memory{f["Rss"] << 10, f["Pss"] << 10, f["Anonymous"] << 10}
}

// fields parses a file of lines such as "Rss:   123 kB". It returns no fields if the file can't be read.
func fields(name string) map[string]int64 {
	b, _ := os.ReadFile(name)
	out := map[string]int64{}
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		key, rest, ok := strings.Cut(s.Text(), ":")
		if f := strings.Fields(rest); ok && len(f) > 0 {
			if v, err := strconv.ParseInt(f[0], 10, 64); err == nil {
				out[key] = v
			}
		}
	}
	return out
}

// unsent returns the longest send queue of the sockets of a local port, in bytes.
func unsent(port int) int64 {
	b, _ := os.ReadFile("/proc/net/tcp")
	n := int64(0)
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		f := strings.Fields(s.Text())
		if len(f) < 5 {
			continue
		}
		if _, p, _ := strings.Cut(f[1], ":"); strings.EqualFold(p, fmt.Sprintf("%04X", port)) {
			tx, _, _ := strings.Cut(f[4], ":")
			v, _ := strconv.ParseInt(tx, 16, 64)
			n = max(n, v)
		}
	}
	return n
}

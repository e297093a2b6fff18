package loadtest

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// hardware names the processor, the memory in bytes and the kernel, as far as the system tells.
func hardware(system string) (cpu string, memory uint64, name string) {
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		memory = uint64(info.Totalram) * uint64(info.Unit)
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		// Without what follows the dash: it names a build, sometimes a customer, and reports are shown to others.
		release, _, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), "-")
		system += " " + release
	}
	return cpu, memory, system
}

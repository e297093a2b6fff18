package loadtest

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// hardware returns the name of the processor, the memory in bytes and the name of the system with the kernel's version,
// as far as they are known.
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
		// The part after the dash names a build, sometimes a customer, and reports are public.
		release, _, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), "-")
		system += " " + release
	}
	return cpu, memory, system
}

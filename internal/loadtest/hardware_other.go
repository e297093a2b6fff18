//go:build !linux

package loadtest

// hardware: only the system's name is known here.
func hardware(system string) (cpu string, memory uint64, name string) { return "", 0, system }

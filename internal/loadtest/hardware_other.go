//go:build !linux

package loadtest

// hardware returns the name of the system; the rest is unknown here.
func hardware(system string) (cpu string, memory uint64, name string) { return "", 0, system }

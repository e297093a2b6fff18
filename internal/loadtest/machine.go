package loadtest

import (
	"runtime"

	"ticklane/internal/loadtest/report"
)

func thisMachine() report.Machine {
	m := report.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	m.CPU, m.Memory, m.OS = hardware(m.OS)
	return m
}

// Package metrics reports the figures of the process, as JSON for /api/stats and in the format of Prometheus.
package metrics

import (
	"runtime"
	"time"
)

// Process has the resources that the process uses.
type Process struct {
	CPUSeconds    float64 `json:"cpu_seconds"` // user and system time since the start
	RSS           uint64  `json:"rss_bytes"`   // resident memory; 0 where it is not available
	Goroutines    int     `json:"goroutines"`
	UptimeSeconds float64 `json:"uptime_seconds"`
}

var started = time.Now()

// ReadProcess returns the current figures.
func ReadProcess() Process {
	return Process{
		CPUSeconds:    cpuTime().Seconds(),
		RSS:           residentMemory(),
		Goroutines:    runtime.NumGoroutine(),
		UptimeSeconds: time.Since(started).Seconds(),
	}
}

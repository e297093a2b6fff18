// Package metrics tells what the process counts, as JSON for /api/stats and for Prometheus.
package metrics

import (
	"runtime"
	"time"
)

// Process is what the process costs.
type Process struct {
	CPUSeconds    float64 `json:"cpu_seconds"` // user and system time since the start
	RSS           uint64  `json:"rss_bytes"`   // resident memory; 0 where the system doesn't tell
	Goroutines    int     `json:"goroutines"`
	UptimeSeconds float64 `json:"uptime_seconds"`
}

var started = time.Now()

// ReadProcess asks the system now.
func ReadProcess() Process {
	return Process{
		CPUSeconds:    cpuTime().Seconds(),
		RSS:           residentMemory(),
		Goroutines:    runtime.NumGoroutine(),
		UptimeSeconds: time.Since(started).Seconds(),
	}
}

package metrics

import (
	"testing"
	"time"
)

func TestBus(t *testing.T) {
	got := scrape(t, Sources{Bus: func() BusStats {
		return BusStats{Role: "standby", Term: 3, Connected: true, Messages: 2, Ticks: 40, Stale: 1500 * time.Millisecond,
			Read: [2]time.Duration{time.Millisecond, 4 * time.Millisecond}, Ack: [2]time.Duration{2 * time.Millisecond, 8 * time.Millisecond}, Nodes: 3, Lost: 1, Duplicates: 2}
	}})
	for series, want := range map[string]float64{
		`ticklane_bus_role{role="writer"}`: 0, `ticklane_bus_role{role="standby"}`: 1, `ticklane_bus_role{role="reader"}`: 0,
		"ticklane_bus_term": 3, "ticklane_bus_connected": 1, "ticklane_bus_lag_messages": 2, "ticklane_bus_behind_ticks": 40, "ticklane_bus_stale_seconds": 1.5,
		`ticklane_bus_read_seconds{quantile="0.99"}`: 0.004, `ticklane_bus_ack_seconds{quantile="0.5"}`: 0.002,
		`ticklane_cluster_nodes{state="up"}`: 3, `ticklane_cluster_nodes{state="lost"}`: 1, "ticklane_cluster_duplicate_names": 2,
	} {
		if v, ok := got[series]; !ok || v != want {
			t.Errorf("%s is %v, want %v", series, v, want)
		}
	}
	for series := range scrape(t, Sources{}) {
		if len(series) > 12 && series[:12] == "ticklane_bus" {
			t.Errorf("%s without a bus", series)
		}
	}
}

package main

import (
	"testing"
	"time"

	"ticklane/bench/generator"
)

// overloaded is what a window of two seconds sees of a server that gets so many ticks a second to its 1,000 subscribers:
// all of them in order, the rest later.
func overloaded(rate, capacity float64) *Slot {
	s := &Slot{Experiment: "saturation", Subs: 1000, Rate: rate, Seconds: 2, Counts: &generator.Counts{Ticks: int64(2 * min(1000*rate, capacity))}}
	if behind := 1 - capacity/(1000*rate); behind > 0 {
		s.P99 = int64(behind * 2.6 * 1e6)
	}
	return s
}

// TestSustained: a server that gets seven of eight ticks is a second late only after eight.
func TestSustained(t *testing.T) {
	for _, tt := range []struct {
		rate, capacity float64
		want           bool
	}{{1000, 2e6, true}, {1000, .97e6, true}, {4000, 3.5e6, false}, {500, .35e6, false}, {64_000, 1e6, false}} {
		s := overloaded(tt.rate, tt.capacity)
		if got := s.sustained(); got != tt.want {
			t.Errorf("%.0f of %.0f due ticks/s, p99 %v: sustained is %v", s.Delivered(), tt.rate*1000, time.Duration(s.P99)*time.Microsecond, got)
		}
	}
	s := overloaded(1000, 2e6)
	if s.P99 = patience.Microseconds(); s.sustained() {
		t.Error("a p99 of a second was taken")
	}
	s = overloaded(1000, 2e6)
	if s.Counts.Lost = 1; s.sustained() {
		t.Error("a loss was taken")
	}
}

func TestMostSustained(t *testing.T) {
	for _, capacity := range []float64{.05e6, .07e6, .3e6, .35e6, 1e6, 3.5e6, 9e6} {
		tries, last := 0, &Slot{}
		kept := mostSustained(func(rate float64) *Slot {
			tries++
			last = overloaded(rate, capacity)
			return last
		})
		if tries > 14 {
			t.Errorf("%d tries", tries)
		}
		if capacity < keepsUp*firstRate*1000 {
			if kept != 0 {
				t.Errorf("%.0f ticks/s: %v was kept", capacity, kept)
			}
			continue
		}
		if got := kept * 1000; got > capacity/keepsUp || got < capacity/1.2 {
			t.Errorf("%.0f ticks/s: %.0f was found", capacity, got)
		}
	}
	if kept := mostSustained(func(float64) *Slot { return nil }); kept != 0 {
		t.Error(kept)
	}
}

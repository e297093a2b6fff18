package main

import (
	"testing"
	"time"

	"ticklane/bench/generator"
)

// overloaded returns the measurement, in a window of two seconds, of a server that delivers at most capacity ticks/s to its
// 1,000 subscribers: complete, but late.
func overloaded(rate, capacity float64) *Measurement {
	s := &Measurement{Experiment: "saturation", Subs: 1000, Rate: rate, Seconds: 2, Counts: &generator.Counts{Ticks: int64(2 * min(1000*rate, capacity))}}
	if behind := 1 - capacity/(1000*rate); behind > 0 {
		s.P99 = int64(behind * 2.6 * 1e6)
	}
	return s
}

// TestSustained: a server that delivers seven of eight ticks is a second late only after eight seconds.
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
	if s.P99 = maxSustainedP99.Microseconds(); s.sustained() {
		t.Error("a p99 of a second is accepted")
	}
	s = overloaded(1000, 2e6)
	if s.Counts.Lost = 1; s.sustained() {
		t.Error("a loss is accepted")
	}
}

func TestHighestSustained(t *testing.T) {
	for _, capacity := range []float64{.05e6, .07e6, .3e6, .35e6, 1e6, 3.5e6, 9e6} {
		tries, last := 0, &Measurement{}
		highest := highestSustained(func(rate float64) *Measurement {
			tries++
			last = overloaded(rate, capacity)
			return last
		})
		if tries > 14 {
			t.Errorf("%d tries", tries)
		}
		if capacity < minDelivered*firstRate*1000 {
			if highest != 0 {
				t.Errorf("%.0f ticks/s: %v", capacity, highest)
			}
			continue
		}
		if got := highest * 1000; got > capacity/minDelivered || got < capacity/1.2 {
			t.Errorf("%.0f ticks/s: got %.0f", capacity, got)
		}
	}
	if highest := highestSustained(func(float64) *Measurement { return nil }); highest != 0 {
		t.Error(highest)
	}
}

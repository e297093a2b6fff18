package replay

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestEnd: the end of the file is recorded and logged once; a replay that is stopped, or loops, has none.
func TestEnd(t *testing.T) {
	var log strings.Builder
	file := writeFile(t, "A.csv", "time,price\n1772461800,1\n1772461801,1\n1772461802,1\n")
	r := newSource(t, file, func(o *Options) {
		o.Speed, o.Logger = MaxSpeed, slog.New(slog.NewTextHandler(&log, nil))
	})
	if _, ok := r.Ended(); ok {
		t.Error("ended before it ran")
	}
	before := time.Now().Truncate(time.Microsecond)
	firstTicks(t, r, 1000)
	if at, ok := r.Ended(); !ok || at.Before(before) || at.After(time.Now()) {
		t.Errorf("ended %t at %v", ok, at)
	}
	if strings.Count(log.String(), "replay ended") != 1 || !strings.Contains(log.String(), "ticks=3") {
		t.Errorf("log: %s", log.String())
	}
	for _, loop := range []bool{false, true} {
		r := newSource(t, file, func(o *Options) { o.Speed, o.Loop = 1e-3, loop })
		firstTicks(t, r, 1) // then it is stopped
		if _, ok := r.Ended(); ok {
			t.Errorf("loop %t: a stopped replay has ended", loop)
		}
	}
}

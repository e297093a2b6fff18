package handlers

import (
	"testing"
	"time"
)

// TestReleaseCountsFromNow: when a drill asks to be asked again doesn't depend on the clock on the wall, which may be set.
func TestReleaseCountsFromNow(t *testing.T) {
	r := &rig{delay: 50 * time.Millisecond}
	now := time.Now()
	n, again, more := r.Release(now, 10, false)
	if n != 0 || more || again == again.Round(0) || again.Sub(now) != r.delay { // Round takes the monotonic clock off
		t.Errorf("%d bytes, again at %s, %v", n, again, more)
	}
}

package loadtest

import (
	"context"
	"errors"
	"time"
)

var errTimeout = errors.New("timeout")

// waitFor polls a condition every 20 ms until it holds. The error is errTimeout or that of ctx.
func waitFor(ctx context.Context, timeout time.Duration, condition func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(timeout)
	for !condition() {
		if time.Now().After(end) {
			return errTimeout
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// pause waits for d and calls progress with the remaining time every 200 ms.
func pause(ctx context.Context, d time.Duration, progress func(left time.Duration)) error {
	end := time.Now().Add(d)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	done := time.NewTimer(d)
	defer done.Stop()
	for {
		progress(max(0, time.Until(end)))
		select {
		case <-done.C:
			return nil
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

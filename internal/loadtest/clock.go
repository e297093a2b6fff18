package loadtest

import (
	"context"
	"fmt"
	"time"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
)

const clockExchanges = 16

// compareClocks exchanges timestamps with the server, whose API get reads. Of several exchanges it keeps the one with the
// smallest round trip, as NTP's clock filter does (RFC 5905 §10).
func compareClocks(ctx context.Context, get func(ctx context.Context, path string, into any) error) (report.Clock, error) {
	var best report.Clock
	for k := range clockExchanges {
		var answer struct {
			Received int64 `json:"received"`
			Sent     int64 `json:"sent"`
		}
		sent := time.Now()
		if err := get(ctx, "/api/time", &answer); err != nil {
			return best, err
		}
		received := time.Now()
		if answer.Received == 0 || answer.Sent < answer.Received {
			return best, fmt.Errorf("GET /api/time: %w", client.ErrMalformed)
		}
		c := clockOf(sent.UnixMicro(), answer.Received, answer.Sent, received.UnixMicro())
		if k == 0 || c.Error < best.Error {
			best = c
		}
	}
	return best, nil
}

// clockOf returns the offset, and half the round trip, of one exchange (RFC 5905 §8): sent at t1 and received at t4 by our
// clock, received at t2 and sent at t3 by the server's, in µs.
func clockOf(t1, t2, t3, t4 int64) report.Clock {
	return report.Clock{Offset: ((t2 - t1) + (t3 - t4)) / 2, Error: ((t4 - t1) - (t3 - t2) + 1) / 2, Used: true}
}

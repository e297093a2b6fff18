package loadtest

import (
	"context"
	"fmt"
	"time"
)

// Clock is how the server's clock differs from ours. On one machine it is zero: both read the same.
type Clock struct {
	Offset int64 `json:"offset_us"` // server − ours
	Error  int64 `json:"error_us"`  // half the round trip of the best exchange: the offset is off by no more
	Used   bool  `json:"used"`      // false: the same machine, nothing was exchanged
}

const clockExchanges = 16

// compareClocks makes several exchanges and keeps the one with the smallest round trip, as NTP's clock filter does
// (RFC 5905 §10).
func (t *target) compareClocks(ctx context.Context) (Clock, error) {
	var best Clock
	for k := range clockExchanges {
		var answer struct {
			Received int64 `json:"received"`
			Sent     int64 `json:"sent"`
		}
		sent := time.Now()
		if err := t.get(ctx, "/api/time", &answer); err != nil {
			return best, err
		}
		received := time.Now()
		if answer.Received == 0 || answer.Sent < answer.Received {
			return best, fmt.Errorf("GET /api/time: %w", errMalformed)
		}
		c := exchange(sent.UnixMicro(), answer.Received, answer.Sent, received.UnixMicro())
		if k == 0 || c.Error < best.Error {
			best = c
		}
	}
	return best, nil
}

// exchange is the on-wire protocol's offset and half the round trip of four timestamps, in µs (RFC 5905 §8): t1 sent
// and t4 received by our clock, t2 received and t3 sent by the server's.
func exchange(t1, t2, t3, t4 int64) Clock {
	return Clock{Offset: ((t2 - t1) + (t3 - t4)) / 2, Error: ((t4 - t1) - (t3 - t2) + 1) / 2, Used: true}
}

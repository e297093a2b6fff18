package loadtest

import (
	"testing"

	"ticklane/internal/loadtest/report"
)

func TestClockOf(t *testing.T) {
	// The server is 1,000 µs ahead; 100 µs each way, 50 µs at the server.
	if got := clockOf(0, 1100, 1150, 250); got != (report.Clock{Offset: 1000, Error: 100, Used: true}) {
		t.Errorf("%+v", got)
	}
}

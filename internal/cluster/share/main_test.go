package share

import (
	"testing"

	"go.uber.org/goleak"

	"ticklane/internal/testkit"
)

// TestMain ignores a goroutine of nats.go, which waits forever if the connection was closed or lost as it started.
func TestMain(m *testing.M) {
	testkit.Main(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect"))
}

package share

import (
	"testing"

	"go.uber.org/goleak"

	"ticklane/internal/testkit"
)

// TestMain ignores a goroutine of nats.go, which waits forever if the connection was closed or lost as it started, and two of fasthttp
// that outlive its servers.
func TestMain(m *testing.M) {
	testkit.Main(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect"))
}

package handlers

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails on goroutines that a test left behind. Two of fasthttp's outlive its servers: the cleaner of idle
// workers sleeps up to ten seconds before it looks, the clock of the Date header runs for ever.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

package loadtest

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"ticklane/internal/testkit"
)

// TestMain is also the server that slots start: this program, called with serve; and a load tester that will be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		os.Exit(serveForTest(os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == "orphan" {
		os.Exit(orphanForTest())
	}
	// Two goroutines of fasthttp's outlive its servers: the cleaner of idle workers, for ten seconds, and the clock.
	testkit.Main(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

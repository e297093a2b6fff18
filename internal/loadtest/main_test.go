package loadtest

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"ticklane/internal/testkit"
)

// TestMain runs the tests. Called with serve or orphan, the test program is instead the server that tests start, or a load
// tester that a test kills; with reach it connects to a server.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "serve":
			os.Exit(serveProcess(os.Args[2:]))
		case "reach":
			os.Exit(reachProcess(os.Args[2]))
		case "orphan":
			os.Exit(orphanProcess())
		}
	}
	// Two goroutines of fasthttp outlive its servers: the cleaner of idle workers, for ten seconds, and the clock.
	testkit.Main(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

package handlers

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"ticklane/internal/shard"
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// under is the engine of the houses that tests open. Every test of this package runs once under each, so that none can
// forget one.
var under = engineStream

// everyEngine runs the tests under one engine after the other. Fuzzing and benchmarks run once.
type everyEngine struct{ *testing.M }

func (m everyEngine) Run() int {
	flag.Parse()
	engines := []string{engineStream}
	if shard.Available {
		engines = append(engines, engineShard)
	}
	if only := os.Getenv("ENGINE"); only != "" {
		engines = []string{only}
	}
	for _, name := range []string{"test.fuzz", "test.bench", "test.list"} {
		if flag.Lookup(name).Value.String() != "" {
			engines = engines[:1]
		}
	}
	code := 0
	for _, under = range engines {
		fmt.Println("engine", under)
		code = max(code, m.M.Run())
	}
	return code
}

// engine is the one that a stream of this house has on a lane.
func (h *house) engine(lane wire.Lane) string {
	if under == engineShard && h.secure {
		return engineStream
	}
	return under
}

// TestMain fails on goroutines that a test left behind. Two of fasthttp's outlive its servers: the cleaner of idle
// workers sleeps up to ten seconds before it looks, the clock of the Date header runs for ever.
func TestMain(m *testing.M) {
	testkit.Main(everyEngine{m},
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

package main

import (
	"flag"
	"os"
	"strconv"
	"testing"

	"go.uber.org/goleak"

	"ticklane/internal/testkit"
)

// parallel is the default of -parallel: tests wait for their servers' clocks most of the time.
const parallel = 6

// TestMain runs the tests. Called with serve or run, the test program is instead the server of a recipe, or this command.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "serve" || os.Args[1] == "run") {
		main()
		return
	}
	if err := flag.Set("test.parallel", strconv.Itoa(parallel)); err != nil { // flag.Parse comes later, so the command line wins
		panic(err)
	}
	testkit.Main(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1")) // it runs forever
}

// mustMeasure runs a plan in which no tick may be lost.
func mustMeasure(t *testing.T, l *Launcher, p Plan) *Measurement {
	t.Helper()
	m, err := l.measure(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if c := m.Counts; c.Lost+c.Repeated+c.Closed > 0 || len(c.Broken) > 0 {
		t.Fatalf("%+v", c)
	}
	return m
}

func testLauncher(t *testing.T) *Launcher {
	t.Helper()
	l, err := newLauncher("no-ticklane-here")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

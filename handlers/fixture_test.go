package handlers_test

import (
	"encoding/json"
	"flag"
	"io"
	"strconv"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"ticklane/handlers"
	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// parallel is the default of -parallel: tests wait for timers and sockets most of the time.
const parallel = 8

// TestMain fails on leaked goroutines. Two of fasthttp's outlive its servers: the cleaner of idle workers sleeps up to ten
// seconds before it checks, the clock of the Date header runs forever.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", strconv.Itoa(parallel)); err != nil { // flag.Parse comes later, so the command line wins
		panic(err)
	}
	testkit.Main(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

var lanes = []wire.Lane{wire.SSE, wire.WS}

// protobuf is the subprotocol of WebSocket's second encoding.
const protobuf = "ticklane.v1.protobuf"

// newTestServer starts a server of engine stream unless o names another.
func newTestServer(t testing.TB, o testserver.Options) *testserver.Server {
	t.Helper()
	return testserver.New(t, o)
}

// parallelTests holds the tests that onEngines has made parallel.
var parallelTests sync.Map

// onEngines runs a test of the contract on every engine, in parallel with each other and with other tests.
func onEngines(t *testing.T, f func(t *testing.T, engine string)) {
	if _, twice := parallelTests.LoadOrStore(t, true); !twice {
		t.Parallel()
	}
	for _, engine := range testserver.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			f(t, engine)
		})
	}
}

// onLanes runs a test of the contract on every engine and lane, on WebSocket in both encodings, in parallel. Each run has its
// own server, of which o.Engine and o.Subprotocol are set here.
func onLanes(t *testing.T, o testserver.Options, f func(t *testing.T, srv *testserver.Server, lane wire.Lane)) {
	onEngines(t, func(t *testing.T, engine string) {
		o := o
		o.Engine = engine
		t.Run("sse", func(t *testing.T) {
			t.Parallel()
			f(t, newTestServer(t, o), wire.SSE)
		})
		onEncodings(t, o, func(t *testing.T, srv *testserver.Server) { f(t, srv, wire.WS) })
	})
}

// onWebSockets is onLanes for tests of WebSocket alone.
func onWebSockets(t *testing.T, o testserver.Options, f func(t *testing.T, srv *testserver.Server)) {
	onEngines(t, func(t *testing.T, engine string) {
		o := o
		o.Engine = engine
		onEncodings(t, o, f)
	})
}

func onEncodings(t *testing.T, o testserver.Options, f func(t *testing.T, srv *testserver.Server)) {
	for name, subprotocol := range map[string]string{"ws": "", "ws protobuf": protobuf} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := o
			o.Subprotocol = subprotocol
			f(t, newTestServer(t, o))
		})
	}
}

// withLab enables experiments.
func withLab(d *handlers.Deps) { d.Lab = &handlers.Lab{} }

func newLabServer(t testing.TB) *testserver.Server {
	t.Helper()
	return newTestServer(t, testserver.Options{Deps: withLab})
}

// compressing returns the configuration of a log with this value of stream.compress.
func compressing(when string) stream.Config {
	return stream.Config{Compress: when, MaxSharedEncoders: 16}
}

// liveStreams returns how many streams hold a slot of the limiter. A stream releases it as its last action.
func liveStreams(srv *testserver.Server) int { return srv.Handlers.LiveStreams() }

// wantNoStreams waits until no stream and no connection is open.
func wantNoStreams(srv *testserver.Server) {
	srv.Helper()
	testkit.Eventually(srv, func() bool { return liveStreams(srv) == 0 && srv.Handlers.OpenConns() == 0 }, "streams and connections to be released")
}

// problem is an answer of type application/problem+json.
type problem struct {
	Type, Title, Detail, Parameter, Code, Msg string
	Status                                    int
	T                                         string `json:"T"`
	ID                                        *int64
	Errors                                    []struct{ Parameter, Detail string }
}

// wantProblem decodes and checks an answer that must be a problem with this status.
func wantProblem(t testing.TB, c *testserver.Client, body string, status int) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(body), &p); err != nil || c.Status != status || p.Status != status || p.Title == "" || p.Type != "about:blank" || p.Detail == "" {
		t.Fatalf("status %d, want a problem of %d: %v %.300s", c.Status, status, err, body)
	}
	if got := c.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	if got := c.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	return p
}

// wantEnd checks that a stream ends for a reason: by a bye and, on WebSocket, by a close code.
func wantEnd(c *testserver.Client, reason string, code uint16) {
	c.Helper()
	bye := c.WaitFor("bye")
	if bye.Reason != reason {
		c.Fatalf("bye %s, want %s", bye.Reason, reason)
	}
	if c.Format.Lane() == wire.WS {
		if rest := c.WantClose(code); len(rest) > 0 {
			c.Fatalf("%s after the bye", rest[0].Text)
		}
		return
	}
	if got, err := c.ReadAll(); err != io.EOF || len(got) > 0 {
		c.Fatalf("after the bye: %v, %d messages", err, len(got))
	}
	finished := reason == wire.ByeLimit || reason == wire.ByeDuration
	if finished != (bye.EventID == "end") || (bye.EventID != "" && !finished) {
		c.Fatalf("bye %s has id %q", reason, bye.EventID)
	}
	retry := strconv.FormatInt(bye.Retry, 10)
	if finished {
		retry = "86400000"
	}
	if c.Format.Lane() == wire.WS {
		retry = ""
	}
	if finished != (bye.Retry == 0) || bye.EventRetry != retry {
		c.Fatalf("bye %s has retry %d and %q", reason, bye.Retry, bye.EventRetry)
	}
}

// openWS makes a WebSocket handshake and leaves the hello to be read.
func openWS(srv *testserver.Server, query string, lines ...string) *testserver.Client {
	srv.Helper()
	c := srv.Dial()
	c.RequestWS(query, lines...)
	return c
}

package handlers_test

import (
	"strings"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
)

// TestInputAfterRequest checks that a client of an event stream may send 64 KiB after its request, and is disconnected when
// it sends more.
func TestInputAfterRequest(t *testing.T) { onEngines(t, testInputAfterRequest) }

func testInputAfterRequest(t *testing.T, engine string) {
	for name, request := range map[string]func(c *testserver.Client){
		"HTTP/1.1": func(c *testserver.Client) { c.RequestSSE("") },
		"HTTP/1.0": func(c *testserver.Client) { c.RequestHTTP10("") },
	} {
		t.Run(name, func(t *testing.T) {
			srv := newTestServer(t, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.WriteTimeout = time.Second }})
			c := srv.Dial()
			request(c)
			c.ReadHello()
			c.Send(strings.Repeat("x", 60<<10))
			enough := time.Now().Add(300 * time.Millisecond) // until Write has looked at the input again
			testkit.Eventually(t, func() bool {
				srv.Publish(1)
				c.WaitFor("q", "snapshot")
				return time.Now().After(enough)
			})
			go c.NetConn.Write(make([]byte, 200<<10)) // it blocks, or fails when the connection is closed
			testkit.Eventually(t, func() bool { srv.Publish(1); return liveStreams(srv) == 0 && srv.Handlers.OpenConns() == 0 }, "the client to be disconnected")
		})
	}
}

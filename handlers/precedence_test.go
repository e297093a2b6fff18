package handlers_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/stream"
	"ticklane/internal/testkit/testserver"
)

// faultyRequest is a request with some faults.
type faultyRequest struct {
	method, path, protocol, body string
	header                       map[string]string
	limits                       serverLimits
}

// serverLimits are the limits that the request's client has reached.
type serverLimits struct{ streams, requests, commands bool }

// requestFault is a fault with the status that answers it.
type requestFault struct {
	status int
	apply  func(*faultyRequest)
}

func withHeader(name, value string) func(*faultyRequest) {
	return func(r *faultyRequest) { r.header[name] = value }
}

func withoutHeader(name string) func(*faultyRequest) {
	return func(r *faultyRequest) { delete(r.header, name) }
}

func badParameter(r *faultyRequest) { r.path += "?limit=0" }

// commonFaults are those of every request, in the order in which they are found.
var commonFaults = []requestFault{
	{431, withHeader("X-Big", strings.Repeat("x", 9000))},
	{413, withHeader("Content-Length", "70000")},
	{505, func(r *faultyRequest) { r.protocol = "HTTP/2.0" }},
	{400, withHeader("X-Continued", "a\r\n b")},
	{501, func(r *faultyRequest) { r.method = "FOO" }},
	{421, withHeader("Host", "evil.example")},
	{429, func(r *faultyRequest) { r.limits.requests = true }},
	{404, func(r *faultyRequest) { r.path = "/nothing" }},
	{405, func(r *faultyRequest) {
		if r.method != "FOO" {
			r.method = "DELETE"
		}
	}},
}

// endpointFaults are those of an endpoint in the table of docs/protocol.md, after the common ones.
var endpointFaults = map[string][]requestFault{
	"GET /sse/subscribe": {
		{400, badParameter}, {204, withHeader("Last-Event-ID", "end")}, {503, func(r *faultyRequest) { r.limits.streams = true }},
	},
	"GET /ws/subscribe": {
		{400, badParameter}, {400, withHeader("Sec-WebSocket-Extensions", "a b")}, {426, withoutHeader("Upgrade")},
		{426, withoutHeader("Sec-WebSocket-Version")}, {400, withoutHeader("Sec-WebSocket-Key")}, {403, withHeader("Origin", "https://evil.example")},
		{400, withHeader("Sec-WebSocket-Protocol", "chat")}, {101, func(r *faultyRequest) { r.limits.streams = true }},
	},
	"POST /sse/connections/{conn}": {
		{403, withHeader("Origin", "https://evil.example")}, {415, withHeader("Content-Type", "text/plain")},
		{413, func(r *faultyRequest) { r.body = strings.Repeat(" ", 5000) }}, {404, func(r *faultyRequest) { r.path = strings.Replace(r.path, "{conn}", "x", 1) }},
		{429, func(r *faultyRequest) { r.limits.commands = true }}, {400, func(r *faultyRequest) { r.body += "?" }},
	},
}

// TestPrecedence sends requests with several faults, and checks that the answer is that of the first one in the table of
// docs/protocol.md.
func TestPrecedence(t *testing.T) { onEngines(t, testPrecedence) }

func testPrecedence(t *testing.T, engine string) {
	order := documentedOrder(t)
	servers := map[serverLimits]*limitedServer{}
	for endpoint, own := range endpointFaults {
		all := slices.Concat(commonFaults, own)
		statuses := ""
		for _, f := range own {
			statuses += " " + strconv.Itoa(f.status)
		}
		if order[endpoint] != strings.TrimSpace(statuses) {
			t.Errorf("%s: docs/protocol.md has the order %q, the test%s", endpoint, order[endpoint], statuses)
		}
		for first, want := range all {
			checkFirst(t, engine, servers, endpoint, want.status, all[first:])
			for _, other := range all[first+1:] {
				checkFirst(t, engine, servers, endpoint, want.status, []requestFault{want, other})
			}
		}
	}
	common := ""
	for _, f := range commonFaults {
		common += " " + strconv.Itoa(f.status)
	}
	if order["every request"] != strings.TrimSpace(common) {
		t.Errorf("docs/protocol.md has the order %q, the test%s", order["every request"], common)
	}
}

// documentedOrder returns the statuses in each row of the table of docs/protocol.md.
func documentedOrder(t *testing.T) map[string]string {
	text, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| request | the first of these that applies |\n|---|---|\n")
	if !found {
		t.Fatal("docs/protocol.md has no table of the order")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	order := map[string]string{}
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		order[strings.Trim(cells[1], " `")] = strings.Join(regexp.MustCompile(`\b[1-5]\d\d\b`).FindAllString(cells[2], -1), " ")
	}
	return order
}

// limitedServer is a server with an open stream, on which the client 192.0.2.1 has reached some limits.
type limitedServer struct {
	*testserver.Server
	conn string
}

func newLimitedServer(t *testing.T, engine string, limits serverLimits) *limitedServer {
	s := newTestServer(t, testserver.Options{Engine: engine, Log: compressing(stream.CompressAuto), Settings: func(s *handlers.Settings) {
		s.TrustedProxies = []string{"127.0.0.1"}
		if limits.streams {
			s.MaxStreams = 1
		}
		if limits.requests {
			s.RequestRate = 1e-6
		}
		if limits.commands {
			s.MessageRate, s.MessageBurst = 1e-6, 1
		} else {
			s.MessageBurst = 1000
		}
	}})
	l := &limitedServer{Server: s, conn: s.SSE("snapshot=false", "X-Forwarded-For: 192.0.2.2").Hello.Conn}
	s.PostCommand(l.conn, `{"action":"time"}`, "X-Forwarded-For: 192.0.2.3")
	s.Get("/api/time", "X-Forwarded-For: 192.0.2.1")
	return l
}

// checkFirst sends a request to an endpoint with these faults.
func checkFirst(t *testing.T, engine string, servers map[serverLimits]*limitedServer, endpoint string, want int, faults []requestFault) {
	t.Helper()
	r := &faultyRequest{protocol: "HTTP/1.1", header: map[string]string{"Host": "localhost", "X-Forwarded-For": "192.0.2.1"}}
	r.method, r.path, _ = strings.Cut(endpoint, " ")
	switch r.path {
	case "/ws/subscribe":
		for _, line := range testserver.Upgrade {
			name, value, _ := strings.Cut(line, ": ")
			r.header[name] = value
		}
	case "/sse/connections/{conn}":
		r.header["Content-Type"], r.body = "application/json", `{"action":"time"}`
	}
	statuses := ""
	for _, f := range faults {
		f.apply(r)
		statuses += " " + strconv.Itoa(f.status)
	}
	if servers[r.limits] == nil {
		servers[r.limits] = newLimitedServer(t, engine, r.limits)
	}
	s := servers[r.limits]
	if _, ok := r.header["Content-Length"]; ok {
		r.body = "" // the server refuses the length before it reads
	} else if r.body != "" {
		r.header["Content-Length"] = strconv.Itoa(len(r.body))
	}
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s %s\r\n", r.method, strings.Replace(r.path, "{conn}", s.conn, 1), r.protocol)
	for name, value := range r.header {
		fmt.Fprintf(&head, "%s: %s\r\n", name, value)
	}
	c := s.Dial()
	defer c.NetConn.Close()
	c.Send(head.String() + "\r\n" + r.body)
	if c.ReadHead(); c.Status != want {
		t.Errorf("%s with the faults%s: status %d", endpoint, statuses, c.Status)
	}
}

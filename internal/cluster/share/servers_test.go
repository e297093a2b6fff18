package share

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// serve starts a server that a node's parts belong to.
func (n *node) serve(engine string) *testserver.Server {
	n.t.Helper()
	return testserver.New(n.t, testserver.Options{Engine: engine, Deps: func(d *handlers.Deps) {
		s := n.service
		d.Auth, d.Sessions, d.Tickets, d.Revoked, d.Others = s.Verifier, s.Sessions, s.Tickets, s.Revocations, n.Streams
	}})
}

func bearer(secret string) string { return "Authorization: Bearer " + secret }

// eachStream runs a test with two servers for each engine and lane.
func eachStream(t *testing.T, test func(t *testing.T, f files, a, b *testserver.Server, lane wire.Lane)) {
	f := newFiles(t)
	for _, engine := range testserver.Engines() {
		for lane := range wire.Lanes {
			t.Run(engine+" "+lane.String(), func(t *testing.T) {
				t.Parallel()
				s := natstest.New(t, nil)
				test(t, f, f.start(t, s.URL(), settings{}).serve(engine), f.start(t, s.URL(), settings{}).serve(engine), lane)
			})
		}
	}
}

func TestRevocationEndsStreamsOfAnotherServer(t *testing.T) {
	t.Parallel()
	eachStream(t, func(t *testing.T, f files, a, b *testserver.Server, lane wire.Lane) {
		ends, stays := b.Stream(lane, "snapshot=false", bearer(f.secrets["ann"])), b.Stream(lane, "snapshot=false", bearer(f.secrets["bob"]))
		if c, body := a.Post("/api/revocations", `{"jti":"ann"}`, bearer(f.secrets["root"])); c.Status != http.StatusNoContent {
			t.Fatalf("status %d: %s", c.Status, body)
		}
		if bye := ends.WaitFor("bye"); bye.Reason != wire.ByeRevoked {
			t.Errorf("%s", bye.Text)
		}
		b.Publish(1)
		stays.WaitFor("q")
	})
}

func TestTicketOfAnotherServer(t *testing.T) {
	t.Parallel()
	eachStream(t, func(t *testing.T, f files, a, b *testserver.Server, lane wire.Lane) {
		c, body := a.Post("/api/ticket", "", bearer(f.secrets["ann"]))
		var answer struct{ Ticket string }
		if err := json.Unmarshal([]byte(body), &answer); err != nil || c.Status != http.StatusOK {
			t.Fatalf("status %d: %s", c.Status, body)
		}
		query := "topics=S0&ticket=" + answer.Ticket
		b.Stream(lane, query)
		for _, s := range []*testserver.Server{a, b} {
			if c, body := s.Get("/"+lane.String()+"/subscribe?"+query, "Accept: text/event-stream"); c.Status != http.StatusUnauthorized {
				t.Errorf("again: status %d: %s", c.Status, body)
			}
		}
	})
}

func TestStreamLimitOfTwoServers(t *testing.T) {
	t.Parallel()
	eachStream(t, func(t *testing.T, f files, a, b *testserver.Server, lane wire.Lane) {
		open := a.Stream(lane, "topics=S0", bearer(f.secrets["ann"]))
		b.Stream(lane, "topics=S0", bearer(f.secrets["ann"]))
		const want = "streams is reached, a limit of the token's rights: 2 open streams of its subject on all servers"
		for _, s := range []*testserver.Server{a, b} {
			testkit.Eventually(t, func() bool { // the other's count is known
				c := s.Dial()
				defer c.NetConn.Close()
				c.Request("HEAD", "/sse/subscribe?topics=S0", bearer(f.secrets["ann"]), "Accept: application/json")
				return c.Status == http.StatusServiceUnavailable
			}, "the limit is reached")
			if _, body := s.Get("/sse/subscribe?topics=S0", bearer(f.secrets["ann"]), "Accept: application/json"); !strings.Contains(body, want) {
				t.Error(body)
			}
		}
		open.NetConn.Close()
		testkit.Eventually(t, func() bool {
			a.Publish(1) // a failed write is how the end is noticed
			c := b.Dial()
			c.RequestStream(lane, "topics=S0&limit=1", bearer(f.secrets["ann"]))
			return c.Next().T == "hello"
		}, "the slot is free on the other server")
	})
}

// TestOvershoot measures how many streams a subject gets above its limit when it opens them on two servers at once.
func TestOvershoot(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	set := settings{timing: quick}
	set.timing.flush = defaultTiming.flush
	servers := []*testserver.Server{f.start(t, s.URL(), set).serve(testserver.Stream), f.start(t, s.URL(), set).serve(testserver.Stream)}
	var mu sync.Mutex
	var all sync.WaitGroup
	open := 0
	for i := range 20 {
		all.Go(func() {
			c := servers[i%2].Dial()
			c.RequestSSE("topics=S0", bearer(f.secrets["ann"]))
			if c.Next().T == "hello" {
				mu.Lock()
				open++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	t.Logf("%d streams with a limit of 2 on two servers", open)
	if open < 2 || open > 4 { // each server keeps the limit by itself
		t.Errorf("%d streams", open)
	}
}

// TestSignOutOnAnotherServer: a session of one server is valid on the other, until it is signed out on either.
func TestSignOutOnAnotherServer(t *testing.T) {
	t.Parallel()
	eachStream(t, func(t *testing.T, f files, a, b *testserver.Server, lane wire.Lane) {
		c, body := a.Post("/sign-in", url.Values{"token": {f.secrets["ann"]}}.Encode(), "Content-Type: application/x-www-form-urlencoded")
		if c.Status != http.StatusSeeOther {
			t.Fatalf("status %d: %s", c.Status, body)
		}
		cookie, _, _ := strings.Cut(c.Header.Get("Set-Cookie"), ";")
		stream := b.Stream(lane, "snapshot=false", "Cookie: "+cookie, "Origin: http://"+b.Addr)
		if c, body := a.Post("/sign-out", "", "Cookie: "+cookie, "Origin: http://"+a.Addr, "Content-Type: application/x-www-form-urlencoded"); c.Status != http.StatusNoContent {
			t.Fatalf("status %d: %s", c.Status, body)
		}
		if bye := stream.WaitFor("bye"); bye.Reason != wire.ByeRevoked {
			t.Errorf("%s", bye.Text)
		}
	})
}

// TestAnswersWithoutNATS checks that no answer conceals that other servers don't know of a revocation.
func TestAnswersWithoutNATS(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	proxy := natstest.NewProxy(t, s)
	n := f.start(t, proxy.URL(), settings{})
	a, b := n.serve(testserver.Stream), f.start(t, s.URL(), settings{}).serve(testserver.Stream)
	_, body := b.Post("/api/ticket", "", bearer(f.secrets["bob"]))
	var answer struct{ Ticket string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	cookies := make([]string, 2)
	for i := range cookies {
		c, _ := a.Post("/sign-in", url.Values{"token": {f.secrets["ann"]}}.Encode(), "Content-Type: application/x-www-form-urlencoded")
		cookies[i], _, _ = strings.Cut(c.Header.Get("Set-Cookie"), ";")
	}
	proxy.Refuse(true)
	testkit.Eventually(t, func() bool { return !n.conn.IsConnected() })

	if c, body := a.Post("/api/ticket", "", bearer(f.secrets["bob"])); c.Status != http.StatusServiceUnavailable || c.Header.Get("Retry-After") == "" || !strings.Contains(body, "the store") {
		t.Errorf("ticket: status %d: %s", c.Status, body)
	}
	if c, body := a.Get("/ws/subscribe?topics=S0&ticket="+answer.Ticket, testserver.Upgrade...); c.Status != http.StatusServiceUnavailable || !strings.Contains(body, "the store") {
		t.Errorf("redeem: status %d: %s", c.Status, body)
	}
	sse := a.Dial()
	sse.RequestSSE("topics=S0&ticket=" + answer.Ticket) // an EventSource never reconnects after an error
	if bye := sse.Want("bye"); bye.Reason != wire.ByeOverload || bye.Retry < 1000 {
		t.Errorf("redeem: %s", bye.Text)
	}
	if c, body := a.Post("/api/revocations", `{"jti":"bob"}`, bearer(f.secrets["root"])); c.Status != http.StatusAccepted || !strings.Contains(body, "others") {
		t.Errorf("revocation: status %d: %s", c.Status, body)
	}
	header := func(cookie string) []string {
		return []string{"Cookie: " + cookie, "Origin: http://" + a.Addr, "Content-Type: application/x-www-form-urlencoded"}
	}
	if c, body := a.Post("/sign-out", "", header(cookies[0])...); c.Status != http.StatusAccepted || !strings.Contains(c.Header.Get("Set-Cookie"), "1970") {
		t.Errorf("sign-out: status %d: %s", c.Status, body)
	}
	c, _ := a.Post("/sign-out", "", append(header(cookies[1]), "Accept: text/html")...)
	if page := c.Header.Get("Location"); c.Status != http.StatusSeeOther || page != "/sign-in?signed-out=here" {
		t.Errorf("sign-out of a page: status %d to %s", c.Status, page)
	} else if _, body := a.Get(page, "Accept: text/html"); !strings.Contains(body, "signed out on this server") || strings.Contains(body, "aria-invalid") {
		t.Errorf("the page doesn't say that other servers go on, or shows it as a fault of the token: %s", body)
	}
	proxy.Refuse(false)
	for _, credential := range []string{bearer(f.secrets["bob"]), "Cookie: " + cookies[0], "Cookie: " + cookies[1]} {
		testkit.Eventually(t, func() bool {
			c, _ := b.Get("/api/session", credential, "Origin: http://"+b.Addr)
			return c.Status == http.StatusUnauthorized
		}, "the other server gets what was revoked")
	}
}

package handlers_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"ticklane/handlers"
	"ticklane/internal/auth"
	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

// onExpiring runs a test on every lane, engine and encoding, on servers of newExpiringServer.
func onExpiring(t *testing.T, log stream.Config, settings func(*handlers.Settings), f func(t *testing.T, srv *testserver.Server, lane wire.Lane)) {
	onEngines(t, func(t *testing.T, engine string) {
		for _, lane := range lanes {
			for _, encoding := range []string{"", protobuf}[:1+lane] {
				t.Run(lane.String()+encoding, func(t *testing.T) {
					t.Parallel()
					f(t, newExpiringServer(t, testserver.Options{Engine: engine, Subprotocol: encoding, Log: log, Settings: settings}), lane)
				})
			}
		}
	})
}

// renewal makes a stream's client renew its rights by a token and returns the answer to the command.
func renewal(t *testing.T, srv *testserver.Server, c *testserver.Client, token, own string, id int) string {
	t.Helper()
	text := fmt.Sprintf(`{"action":"auth","token":"%s","id":%d}`, token, id)
	if c.Format.Lane() == wire.WS {
		c.SendText(text)
		for {
			if m := c.Next(); m.ID != nil && *m.ID == int64(id) && m.T != "subscription" {
				return m.Text
			}
		}
	}
	_, body := srv.PostCommand(c.Hello.Conn, text, withToken(own))
	return body
}

// TestRenewedStream: a client is informed before its token expires, renews it on the open stream, and gets what the new rights add.
func TestRenewedStream(t *testing.T) {
	onExpiring(t, stream.Config{}, nil, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		srv.Publish(100)
		c := srv.Stream(lane, "", withToken("soon"))
		if !strings.Contains(c.Hello.Text, `"expires":`) {
			t.Errorf("hello %s", c.Hello.Text)
		}
		if m := c.WaitFor("auth", "snapshot", "q", "hb"); !strings.Contains(m.Text, `"status":"expiring","expires":`) {
			t.Errorf("notice %s", m.Text)
		}
		for token, code := range map[string]string{"unknown": "invalid_token", "expired-ana": "invalid_token", "all": "invalid_token", "mixed": "delayed_topic"} {
			if got := renewal(t, srv, c, token, "soon", 3); !strings.Contains(got, `"code":"`+code+`"`) || strings.Contains(got, token) {
				t.Errorf("%s: %s", token, got)
			}
		}
		if got := renewal(t, srv, c, "later", "soon", 4); !strings.HasPrefix(got, `{"T":"auth","status":"renewed","expires":`) {
			t.Errorf("renewed: %s", got)
		}
		srv.Publish(100)
		for seen := map[string]bool{}; !seen["S5"]; { // soon couldn't read it
			if m := c.Next(); m.T == "q" {
				if seen[m.S] = true; !slices.Contains([]string{"S1", "S3", "S5"}, m.S) {
					t.Fatalf("a tick of %s", m.S)
				}
			}
		}
		if got := renewal(t, srv, c, "less", "soon", 5); strings.Contains(got, `"code"`) {
			t.Errorf("less for *: %s", got) // a narrowed "*" covers less
		}
		one := srv.Stream(lane, "topics=S1", withToken("soon"))
		if got := renewal(t, srv, one, "less", "soon", 6); !strings.Contains(got, `"code":"forbidden_topic"`) || !strings.Contains(got, "S1") {
			t.Errorf("less for a topic: %s", got)
		}
	})
}

// TestRenewalByRequest: the credentials of a POST renew a stream of either lane.
func TestRenewalByRequest(t *testing.T) {
	onExpiring(t, stream.Config{}, nil, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		c := srv.Stream(lane, "topics=S1", withToken("soon"))
		path := "/" + lane.String() + "/connections/" + c.Hello.Conn
		a, body := srv.Post(path, `{"action":"auth","id":4}`, withToken("later"))
		if a.Status != 200 || !strings.HasPrefix(body, `{"T":"auth","status":"renewed","expires":`) {
			t.Errorf("%d %s", a.Status, body)
		}
		for m := c.Next(); !strings.Contains(m.Text, "renewed"); m = c.Next() {
		}
		a, body = srv.Post(path, `{"action":"auth"}`, withToken("expired-ana"))
		if p := wantProblem(t, a, body, 401); p.Code != "invalid_token" || a.Header.Get("Www-Authenticate") == "" {
			t.Errorf("expired: %s, %v", body, a.Header)
		}
		a, body = srv.Post(path, `{"action":"auth"}`, withToken("all"))
		wantProblem(t, a, body, 404)
	})
}

// TestNoRenewalWithoutAuthentication: a server without authentication has no command auth, as before.
func TestNoRenewalWithoutAuthentication(t *testing.T) {
	onLanes(t, testserver.Options{}, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		c := srv.Stream(lane, "snapshot=false")
		if got := renewal(t, srv, c, "x", "x", 7); !strings.Contains(got, `action: auth is unknown here: this server requires no credentials; want subscribe, unsubscribe or time`) {
			t.Errorf("got %s", got)
		}
		if strings.Contains(c.Hello.Text, "expires") || strings.Contains(c.Hello.Text, "narrowed") || strings.Contains(c.Hello.Text, "delay") {
			t.Errorf("hello %s", c.Hello.Text)
		}
	})
}

// TestExpiredStream: the stream goes on in the grace, ends with a bye that leaves the position, and a client that resumes with
// another token loses nothing.
func TestExpiredStream(t *testing.T) {
	onExpiring(t, stream.Config{Grace: 50 * time.Millisecond}, nil, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		srv.Publish(50)
		stop := srv.PublishRate(500)
		c := srv.Stream(lane, "topics=S1,S3&snapshot=false", withToken("brief"))
		n, position := map[string]uint64{}, ""
		read := func(c *testserver.Client) wiretest.Message {
			m := c.Next()
			if m.T == "q" {
				if before, ok := n[m.S]; ok && m.N != before+1 {
					t.Fatalf("n %d of %s after %d", m.N, m.S, before)
				}
				n[m.S], position = m.N, fmt.Sprintf("%s-%d", c.Hello.Epoch, m.I)
			}
			return m
		}
		bye := read(c)
		for ; bye.T != "bye"; bye = read(c) {
		}
		if bye.Reason != wire.ByeExpired || bye.Retry < 1000 || bye.EventID != "" {
			t.Errorf("bye %s", bye.Text)
		}
		if lane == wire.WS {
			c.WantClose(wire.CloseUnauthorized)
		}
		testkit.Eventually(t, func() bool { return liveStreams(srv) == 0 }, "its end")
		if position == "" {
			position = srv.TickLog.Head().String() // a busy machine: it ended before the first tick
		}
		srv.Publish(100)
		stop()
		again := srv.Stream(lane, "topics=S1,S3&from="+position, withToken("later"))
		var quotes struct {
			Quotes []struct {
				S string
				N uint64 `json:"n"`
			}
		}
		_, body := srv.Get("/api/quotes?topics=S1,S3", withToken("later"))
		if err := json.Unmarshal([]byte(body), &quotes); err != nil || again.Hello.Resume != wire.ResumeComplete {
			t.Fatalf("%v, %s", err, again.Hello.Text)
		}
		for _, q := range quotes.Quotes {
			for n[q.S] < q.N {
				read(again)
			}
		}
	})
}

// TestExpiredRequest: who reconnects with an expired token gets a bye, after which an EventSource reconnects again; other clients of SSE get
// 401.
func TestExpiredRequest(t *testing.T) {
	onExpiring(t, stream.Config{}, nil, func(t *testing.T, srv *testserver.Server, lane wire.Lane) {
		c := srv.Dial()
		c.RequestStream(lane, "topics=S1", withToken("expired-ana"))
		m := c.Next()
		if m.T != "bye" || m.Reason != wire.ByeExpired || m.Retry < 1000 || lane == wire.SSE && m.EventRetry == "" {
			t.Errorf("got %s", m.Text)
		}
		if lane == wire.WS {
			c.WantClose(wire.CloseUnauthorized)
			return
		}
		a, body := srv.Get("/sse/subscribe", withToken("expired-ana"))
		if p := wantProblem(t, a, body, 401); p.Code != "expired_token" {
			t.Errorf("without Accept: %s", body)
		}
		if a, _ := srv.Get("/sse/subscribe", withToken("expired-ana"), "Accept: text/event-stream", "Last-Event-ID: end"); a.Status != 204 {
			t.Errorf("after the end: %d", a.Status)
		}
	})
}

// TestSocketThatAuthenticatesLate: without credentials a WebSocket gets nothing before its first message, which must be its token.
func TestSocketThatAuthenticatesLate(t *testing.T) {
	onWebSockets(t, testserver.Options{Deps: rightsDeps(t, nil), Log: compressing(stream.CompressOn)}, func(t *testing.T, srv *testserver.Server) {
		srv.Publish(100)
		for _, offer := range [][]string{nil, {testserver.OfferDeflate}} {
			c := openWS(srv, "topics=*", offer...)
			c.WriteFrame(ws.OpPing, true, "still here")
			// In one write with the next command, which is for the stream.
			first := ws.MaskFrame(ws.NewTextFrame([]byte(`{"action":"auth","token":"one","id":1}`)))
			second := ws.MaskFrame(ws.NewTextFrame([]byte(`{"action":"time","id":2}`)))
			c.Send(string(ws.MustCompileFrame(first)) + string(ws.MustCompileFrame(second)))
			hello := c.WaitFor("hello")
			if !strings.Contains(hello.Text, `"narrowed":true`) {
				t.Errorf("hello %s", hello.Text)
			}
			if got := symbolsOf(t, c.WaitFor("snapshot", "time", "q").Quotes); !slices.Equal(got, []string{"S1"}) {
				t.Errorf("snapshot of %v", got)
			}
			if got := renewal(t, srv, c, "one", "one", 3); !strings.Contains(got, "renewed") {
				t.Errorf("renewed: %s", got)
			}
			c.Cut(true)
		}
		for text, want := range map[string]string{
			`{"action":"time","id":4}`:                        "unauthorized",
			`{"action":"subscribe","topics":["S1"],"id":4}`:   "unauthorized",
			`{"action":"auth","id":4}`:                        "bad_json",
			`[]`:                                              "bad_json",
			`{"action":"auth","token":"unknown","id":4}`:      "invalid_token",
			`{"action":"auth","token":"nothing","id":4}`:      "forbidden_topic",
			`{"action":"auth","token":"revoked-one","id":4}`:  "invalid_token",
			`{"action":"auth","token":"expired-ones","id":4}`: "invalid_token",
		} {
			c := openWS(srv, "")
			c.SendText(text)
			m := c.Want("error")
			if m.Code != want || strings.Contains(m.Text, "unknown") || want != "bad_json" && (m.ID == nil || *m.ID != 4) {
				t.Errorf("%s: %s", text, m.Text)
			}
			if bye := c.Want("bye"); bye.Reason != wire.ByeUnauthorized {
				t.Errorf("%s: %s", text, bye.Text)
			}
			c.WantClose(wire.CloseUnauthorized)
		}
		for name, f := range map[uint16]ws.Frame{
			wire.CloseUnsupported: ws.NewBinaryFrame([]byte("x")), wire.CloseInvalidData: ws.NewTextFrame([]byte("\xff")),
			wire.CloseTooBig: ws.NewTextFrame([]byte(strings.Repeat("x", 5000))), wire.CloseProtocol: ws.NewFrame(3, true, nil),
		} {
			c := openWS(srv, "")
			if err := ws.WriteFrame(c.NetConn, ws.MaskFrame(f)); err != nil {
				t.Fatal(err)
			}
			if got := c.WantClose(name); len(got) > 0 {
				t.Errorf("%d: %s before the close", name, got[0].Text)
			}
		}
		openWS(srv, "").Cut(true)
		a, body := srv.Get("/ws/subscribe?limit=0", testserver.Upgrade...)
		wantProblem(t, a, body, 400)
		testkit.Eventually(t, func() bool { return liveStreams(srv) == 0 && srv.Handlers.OpenConns() <= 1 }, "the connections' end")
	})
}

// TestSocketWithoutToken: a WebSocket whose client sends no token in time is closed, and has got no data.
func TestSocketWithoutToken(t *testing.T) {
	onWebSockets(t, testserver.Options{Deps: rightsDeps(t, nil), Settings: func(s *handlers.Settings) { s.TokenWait = 20 * time.Millisecond }}, func(t *testing.T, srv *testserver.Server) {
		c := openWS(srv, "")
		srv.Publish(100)
		if bye := c.Want("bye"); bye.Reason != wire.ByeUnauthorized || bye.Retry < 1000 {
			t.Errorf("got %s", bye.Text)
		}
		c.WantClose(wire.CloseUnauthorized)
	})
}

// TestSocketsWithoutTokenOfAnAddress: one client address can't take all places of those that have yet to send their tokens.
func TestSocketsWithoutTokenOfAnAddress(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Deps: rightsDeps(t, nil), Settings: func(s *handlers.Settings) {
		s.TokenWait, s.TrustedProxies = time.Minute, []string{"127.0.0.1"}
	}})
	const places = 64
	first := make(chan string, places+1)
	for range places + 1 { // they begin to wait in any order
		c := openWS(srv, "", "X-Forwarded-For: 9.9.9.9")
		go func() {
			b := make([]byte, 256)
			n, _ := c.Reader.Read(b)
			first <- string(b[:n])
		}()
	}
	if bye := <-first; !strings.Contains(bye, wire.ByeOverload) {
		t.Errorf("got %q", bye)
	}
	other := openWS(srv, "", "X-Forwarded-For: 9.9.9.8")
	other.SendText(`{"action":"auth","token":"all"}`)
	other.Want("hello")
}

// TestRenewalByARevokedToken: a token that was revoked after it was verified, and before the renewal takes effect, is refused.
func TestRenewalByARevokedToken(t *testing.T) {
	onEngines(t, func(t *testing.T, engine string) {
		for _, lane := range lanes {
			t.Run(lane.String(), func(t *testing.T) {
				t.Parallel()
				file := filepath.Join(t.TempDir(), "tokens.yaml")
				if err := auth.WriteTokens(file, nil); err != nil {
					t.Fatal(err)
				}
				service, err := auth.New(auth.Options{Mode: auth.ModeToken, TokenFile: file})
				if err != nil {
					t.Fatal(err)
				}
				if err := service.Revocations.Add(auth.Revocation{TokenID: "later"}); err != nil {
					t.Fatal(err)
				}
				later := principal(t, "ana", `[{"read":["*"]}]`)
				later.TokenID = "later"
				deps := rightsDeps(t, func(d *handlers.Deps) {
					all := d.Auth.(tokens)
					all["now"], all["later"] = principal(t, "ana", `[{"read":["*"]}]`), later // verifies it, as before the revocation
				})
				srv := newTestServer(t, testserver.Options{Engine: engine, Deps: func(d *handlers.Deps) {
					deps(d)
					d.Revoked = service.Revocations
				}})
				c := srv.Stream(lane, "topics=S1&snapshot=false", withToken("now"))
				if answer := renewal(t, srv, c, "later", "now", 5); !strings.Contains(answer, `"code":"invalid_token"`) {
					t.Errorf("got %s", answer)
				}
			})
		}
	})
}

// TestRevokedStream: a stream ends at once when its token is revoked, also if that happens between its request and its start.
func TestRevokedStream(t *testing.T) {
	onEngines(t, func(t *testing.T, engine string) {
		for _, lane := range lanes {
			t.Run(lane.String(), func(t *testing.T) {
				t.Parallel()
				rights, err := auth.ParseRights([]byte(`[{"read":["*"]}]`))
				if err != nil {
					t.Fatal(err)
				}
				entry, secret := auth.NewToken("laptop", rights, time.Time{})
				other, otherSecret := auth.NewToken("desk", rights, time.Time{})
				file := filepath.Join(t.TempDir(), "tokens.yaml")
				if err := auth.WriteTokens(file, []auth.Token{entry, other}); err != nil {
					t.Fatal(err)
				}
				service, err := auth.New(auth.Options{Mode: auth.ModeToken, TokenFile: file})
				if err != nil {
					t.Fatal(err)
				}
				srv := newTestServer(t, testserver.Options{Engine: engine, Deps: func(d *handlers.Deps) { d.Auth, d.Revoked = service.Verifier, service.Revocations }})
				runService(t, service)
				c, stays := srv.Stream(lane, "snapshot=false", withToken(secret)), srv.Stream(lane, "snapshot=false", withToken(otherSecret))
				if err := service.Revocations.Add(auth.Revocation{TokenID: "laptop"}); err != nil {
					t.Fatal(err)
				}
				revoked := time.Now()
				bye := c.WaitFor("bye")
				if took := time.Since(revoked); bye.Reason != wire.ByeRevoked || bye.Retry != 0 || bye.EventID != "" || took > testserver.Timeout/2 {
					t.Errorf("%s after %v", bye.Text, took)
				}
				if lane == wire.WS {
					c.WantClose(wire.CloseRevoked)
				}
				srv.Publish(1)
				stays.WaitFor("q")
				a, body := srv.Get("/"+lane.String()+"/subscribe", withToken(secret), "Accept: text/event-stream")
				if p := wantProblem(t, a, body, 401); p.Code != "revoked_token" {
					t.Errorf("again: %s", body)
				}
			})
		}
	})
}

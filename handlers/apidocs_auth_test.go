package handlers_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ticklane/handlers"
	"ticklane/internal/auth"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
	"ticklane/internal/wire/wiretest"
)

// newExpiringServer starts a server of newRightsServer with tokens of the subject ana: soon expires in half a minute, brief at once,
// later and less in an hour, and mixed may read S1 now and S3 with a delay.
func newExpiringServer(t testing.TB, o testserver.Options) *testserver.Server {
	t.Helper()
	o.Deps = rightsDeps(t, func(d *handlers.Deps) {
		all := d.Auth.(tokens)
		for name, c := range map[string]struct {
			rights  string
			expires time.Duration
		}{
			"soon": {`[{"read":["S1","S3"]}]`, 30 * time.Second}, "brief": {`[{"read":["S1","S3"]}]`, 300 * time.Millisecond},
			"later": {`[{"read":["S1","S3","S5"]}]`, time.Hour}, "less": {`[{"read":["S7"]}]`, time.Hour},
			"mixed": {`[{"read":["S1"]},{"read":["S3"],"delay":"15m"}]`, time.Hour}, "expired-ana": {`[{"read":["*"]}]`, -time.Hour},
		} {
			p := principal(t, "ana", c.rights)
			p.Expires = time.Now().Add(c.expires)
			all[name] = p
		}
	})
	return newTestServer(t, o)
}

// checkCredentials makes a lane send each message about credentials, and returns the codes of its errors.
func (d *apiChecker) checkCredentials(engine string, lane wire.Lane, offer string) (codes []string) {
	d.Helper()
	srv := newExpiringServer(d, testserver.Options{Engine: engine, Subprotocol: offer})
	c := srv.Stream(lane, "topics=*", withToken("soon"))
	d.checkMessage(c, c.Hello)
	d.readUntil(c, "auth")
	send := func(text string, status int) wiretest.Message {
		d.Helper()
		if v, err := value(text); err != nil || d.check("/components/schemas/Command", v) != nil {
			d.Errorf("%s doesn't conform to the description", text)
		}
		if lane == wire.WS {
			c.SendText(text)
			return wiretest.Message{}
		}
		body := d.try(srv, d.operations(), attempt{id: "commandSSE", path: "/sse/connections/" + c.Hello.Conn, status: status, body: text, extra: []string{withToken("soon")}})
		m, err := wiretest.ParseMessage(body)
		if err != nil {
			d.Fatal(err)
		}
		return m
	}
	send(`{"action":"auth","token":"later","id":4}`, 200)
	d.readUntil(c, "subscription")
	d.readUntil(c, "auth")
	d.readUntil(c, "snapshot")
	refuse := func(text string, status int) {
		d.Helper()
		m := send(text, status)
		if lane == wire.WS {
			m = c.Want("error")
			d.checkMessage(c, m)
		}
		codes = append(codes, m.Code)
	}
	refuse(`{"action":"auth","token":"unknown","id":5}`, 401)
	refuse(`{"action":"subscribe","topics":["S2"],"id":6}`, 403)
	c = srv.Stream(lane, "topics=S1&snapshot=false", withToken("mixed"))
	refuse(`{"action":"subscribe","topics":["S3"],"id":7}`, 403)
	if lane == wire.WS {
		c = openWS(srv, "")
		refuse(`{"action":"time"}`, 0)
		d.checkMessage(c, c.Want("bye"))
	}
	expired := srv.Dial()
	expired.RequestStream(lane, "", withToken("expired-ana"))
	d.checkMessage(expired, expired.Want("bye"))
	return codes
}

// closesOfCredentials returns how WebSockets end whose token has expired, and was revoked.
func (d *apiChecker) closesOfCredentials(engine string) (ends []wiretest.CloseError) {
	d.Helper()
	srv := newExpiringServer(d, testserver.Options{Engine: engine})
	expired := openWS(srv, "", withToken("expired-ana"))
	revoked := srv.WS("snapshot=false", withToken("later"))
	srv.TickLog.EndUnauthorized(func(*auth.Principal) string { return wire.ByeRevoked })
	for _, c := range []*testserver.Client{expired, revoked} {
		_, err := d.readMessages(c, 0)
		var how wiretest.CloseError
		if !errors.As(err, &how) {
			d.Fatal(err)
		}
		ends = append(ends, how)
	}
	return ends
}

// checkRenewalByPost checks the answers of commandWS.
func (d *apiChecker) checkRenewalByPost(engine string) {
	d.Helper()
	all := d.operations()
	srv := newExpiringServer(d, testserver.Options{Engine: engine})
	c := srv.WS("topics=S1&snapshot=false", withToken("soon"))
	path := "/ws/connections/" + c.Hello.Conn
	renewal := `{"action":"auth","id":4}`
	for _, x := range []attempt{
		{status: 200, body: renewal, extra: []string{withToken("later")}},
		{status: 200, body: `{"action":"auth","token":"soon"}`, extra: []string{withToken("later")}},
		{status: 400, body: `{"action":"time"}`, extra: []string{withToken("soon")}},
		{status: 401, body: renewal, extra: []string{withToken("expired-ana")}},
		{status: 401, body: renewal},
		{status: 403, body: renewal, extra: []string{withToken("less")}},
		{status: 403, body: renewal, extra: []string{withToken("soon"), "Origin: https://evil.example"}},
		{status: 404, body: renewal, extra: []string{withToken("all")}},
		{status: 413, body: `{"action":"auth","token":"` + strings.Repeat("x", 5000) + `"}`, extra: []string{withToken("soon")}},
		{status: 415, body: renewal, extra: []string{withToken("soon"), "Content-Type: text/plain"}},
	} {
		x.id, x.path = "commandWS", path
		d.try(srv, all, x)
	}
	slow := newExpiringServer(d, testserver.Options{Engine: engine, Settings: func(s *handlers.Settings) { s.MessageRate, s.MessageBurst = 1e-6, 1 }})
	c = slow.WS("topics=S1&snapshot=false", withToken("soon"))
	for _, status := range []int{200, 429} {
		d.try(slow, all, attempt{id: "commandWS", path: fmt.Sprint("/ws/connections/", c.Hello.Conn), status: status, body: renewal, extra: []string{withToken("soon")}})
	}
}

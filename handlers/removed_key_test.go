package handlers_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ticklane/handlers"
	"ticklane/internal/auth"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// TestRemovedKeyEndsStreams: streams that were opened with a JWT, or with a session that was started with one, end as revoked when the
// key that has signed it is removed.
func TestRemovedKeyEndsStreams(t *testing.T) {
	onEngines(t, func(t *testing.T, engine string) {
		file := filepath.Join(t.TempDir(), "secret")
		replace := func(secret string) {
			t.Helper()
			if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		secret := strings.Repeat("s", 32)
		replace(secret)
		service, err := auth.New(auth.Options{Mode: auth.ModeJWT, JWT: auth.JWTOptions{Secret: file, Audience: "ticklane"}})
		if err != nil {
			t.Fatal(err)
		}
		runService(t, service)
		srv := newTestServer(t, testserver.Options{Engine: engine, Deps: func(d *handlers.Deps) {
			d.Auth, d.Revoked, d.Sessions, d.Tickets = service.Verifier, service.Revocations, service.Sessions, service.Tickets
		}})
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
			"sub": "ann", "aud": "ticklane", "exp": time.Now().Add(time.Hour).Unix(), "ticklane": []any{map[string]any{"read": []string{"*"}}},
		}).SignedString([]byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		p, err := service.Verifier.Verify(token)
		if err != nil {
			t.Fatal(err)
		}
		session, _, err := service.Sessions.Issue(p)
		if err != nil {
			t.Fatal(err)
		}
		own := "Origin: http://" + srv.Addr
		credentials := map[string][]string{"token": {withToken(token)}, "session": {"Cookie: ticklane=" + session, own}}
		streams := map[string]*testserver.Client{}
		for _, lane := range lanes {
			for name, lines := range credentials {
				c := srv.Dial()
				c.RequestStream(lane, "snapshot=false", lines...)
				c.ReadHello()
				streams[lane.String()+", "+name] = c
			}
		}
		replace(strings.Repeat("n", 33))
		for name, c := range streams {
			if bye := c.WaitFor("bye"); bye.Reason != wire.ByeRevoked {
				t.Errorf("%s: %s", name, bye.Text)
			}
		}
		for name, lines := range credentials {
			if c, body := srv.Get("/api/quotes", lines...); c.Status != 401 {
				t.Errorf("%s: status %d: %.100s", name, c.Status, body)
			}
		}
	})
}

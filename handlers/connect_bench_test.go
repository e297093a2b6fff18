package handlers_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ticklane/handlers"
	"ticklane/internal/auth"
	"ticklane/internal/testkit/testserver"
)

// BenchmarkConnect opens a stream of one symbol, reads its hello and closes it, one after the other, over a real socket: without
// authentication, with a token of a file, with a JWT that was verified before (as in a reconnect storm), and with a new JWT each
// time. BENCHTIME=10000x opens 10,000.
func BenchmarkConnect(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		b.Fatal(err)
	}
	keys, file := filepath.Join(b.TempDir(), "key.pem"), filepath.Join(b.TempDir(), "tokens.yaml")
	if err := os.WriteFile(keys, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
		b.Fatal(err)
	}
	rights, err := auth.ParseRights([]byte(`[{"read":["*"]}]`))
	if err != nil {
		b.Fatal(err)
	}
	token, secret := auth.NewToken("desk", rights, time.Time{})
	if err := auth.WriteTokens(file, []auth.Token{token}); err != nil {
		b.Fatal(err)
	}
	sign := func(id int) string {
		text, err := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"sub": "ann", "jti": strconv.Itoa(id), "aud": "ticklane", "exp": time.Now().Add(time.Hour).Unix(),
			"ticklane": rights}).SignedString(key)
		if err != nil {
			b.Fatal(err)
		}
		return text
	}
	same := sign(0)
	for _, mode := range []struct {
		name    string
		options *auth.Options
		token   func(i int) string
	}{
		{"none", nil, nil},
		{"token", &auth.Options{Mode: auth.ModeToken, TokenFile: file}, func(int) string { return secret }},
		{"jwt", &auth.Options{Mode: auth.ModeJWT, JWT: auth.JWTOptions{Keys: []string{keys}, Audience: "ticklane"}}, func(int) string { return same }},
		{"new-jwt", &auth.Options{Mode: auth.ModeJWT, JWT: auth.JWTOptions{Keys: []string{keys}, Audience: "ticklane"}}, sign},
	} {
		for _, lane := range []string{"sse", "ws"} {
			b.Run(mode.name+"/"+lane, func(b *testing.B) {
				set := func(set *handlers.Settings) {
					set.MaxStreams, set.MaxPerAddress = 2*b.N+1000, 2*b.N+1000 // on SSE the server notices a closed connection when it writes
					set.CloseWait, set.WriteTimeout = time.Second, time.Second
				}
				s := testserver.New(b, testserver.Options{Settings: set, Deps: func(d *handlers.Deps) {
					if mode.options == nil {
						return
					}
					service, err := auth.New(*mode.options)
					if err != nil {
						b.Fatal(err)
					}
					d.Auth, d.Sessions, d.Tickets, d.Revoked = service.Verifier, service.Sessions, service.Tickets, service.Revocations
				}})
				tokens := make([]string, b.N)
				for i := range tokens {
					if mode.token != nil {
						tokens[i] = "Authorization: Bearer " + mode.token(i) + "\r\n"
					}
				}
				b.ResetTimer()
				for i := range b.N {
					connect(b, s.Addr, lane, tokens[i])
				}
			})
		}
	}
}

// connect opens a stream, reads until its hello and closes it.
func connect(b *testing.B, addr, lane, header string) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer nc.Close()
	request := fmt.Sprintf("GET /%s/subscribe?topics=S0 HTTP/1.1\r\nHost: %s\r\n%s", lane, addr, header)
	if lane == "ws" {
		request += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	}
	if _, err := io.WriteString(nc, request+"\r\n"); err != nil {
		b.Fatal(err)
	}
	buf, n := make([]byte, 4096), 0
	for !bytes.Contains(buf[:n], []byte(`"T":"hello"`)) {
		more, err := nc.Read(buf[n:])
		if err != nil {
			b.Fatalf("%v after %q", err, buf[:n])
		}
		n += more
	}
}

//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/golang-jwt/jwt/v5"

	"ticklane/internal/testkit"
)

// secretRun is a server, the secrets that were used with it, and what it has put out.
type secretRun struct {
	testing.TB
	*process
	dir      string
	log      testkit.Log
	admin    string // its address
	secrets  map[string]string
	answers  map[string]string // by request, without what an answer hands out
	requests int
}

// newSecret makes a secret, which must not be found anywhere.
func (r *secretRun) newSecret(name string, bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b)
	r.secrets[name] = hex.EncodeToString(b)
	return r.secrets[name]
}

func (r *secretRun) write(name, text string) string {
	r.Helper()
	file := filepath.Join(r.dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
	return file
}

// do makes a request and keeps the answer. hides is what the answer hands out to its client: it isn't kept, and is a secret.
func (r *secretRun) do(method, target, body string, header map[string]string, hides *regexp.Regexp) (status int, handed string) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		r.Fatal(err)
	}
	defer resp.Body.Close()
	var head bytes.Buffer
	_ = resp.Header.Write(&head)
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.Fatal(err)
	}
	all := head.String() + "\n" + string(text)
	if hides != nil {
		if m := hides.FindStringSubmatch(all); m != nil {
			handed = m[1]
			all = strings.ReplaceAll(all, handed, "…")
			r.secrets[fmt.Sprintf("of %s, %d", request.URL.Path, r.requests)] = handed
		}
	}
	r.requests++
	r.answers[fmt.Sprintf("%d: %s %s", r.requests, method, request.URL.Path)] = all
	return resp.StatusCode, handed
}

var (
	setCookie  = regexp.MustCompile(`Set-Cookie: [a-zA-Z_-]+=([^;]{20,});`)
	ticketText = regexp.MustCompile(`"ticket":"([^"]+)"`)
	connText   = regexp.MustCompile(`"conn":"([^"]+)"`)
)

// newSecretRun starts a server with settings, of which each secret is random.
func newSecretRun(t testing.TB, settings func(r *secretRun) string) *secretRun {
	t.Helper()
	r := &secretRun{TB: t, dir: t.TempDir(), secrets: map[string]string{}, answers: map[string]string{}}
	file := r.write("config.yaml", settings(r))
	r.process = startServerLogging(t, io.MultiWriter(&r.log, t.Output()), "--config="+file, "--log.level=debug", "--server.admin_addr=127.0.0.1:0",
		"--audit.file="+filepath.Join(r.dir, "audit.log"), "--auth.revocations="+filepath.Join(r.dir, "revocations"))
	at := regexp.MustCompile(`server.admin_addr only" addr=(\S+)`)
	testkit.Eventually(t, func() bool { return at.FindStringSubmatch(r.log.String()) != nil }, "the admin address")
	r.admin = "http://" + at.FindStringSubmatch(r.log.String())[1]
	return r
}

// use makes every kind of request with a token, or with text that isn't one.
func (r *secretRun) use(token string) {
	r.Helper()
	base := "http://" + r.addr
	own := map[string]string{"Origin": base, "Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
	bearer := map[string]string{"Authorization": "Bearer " + token}
	for _, path := range []string{"/", "/api/symbols", "/api/quotes?topics=*", "/api/history?symbol=AAPL", "/api/connections", "/metrics", "/api/stats", "/api/session", "/reports", "/nothing", "/docs"} {
		r.do("GET", base+path, "", bearer, nil)
		r.do("GET", base+path, "", map[string]string{"Authorization": "Bearer " + token, "Accept": "text/html"}, nil)
	}
	// Where a token doesn't belong.
	for _, path := range []string{"/api/symbols?token=", "/sse/subscribe?access_token=", "/ws/subscribe?ticket=", "/sse/subscribe?ticket=", "/?token="} {
		r.do("GET", base+path+url.QueryEscape(token), "", map[string]string{"Accept": "text/html"}, nil)
		r.do("HEAD", base+path+url.QueryEscape(token), "", bearer, nil)
	}
	for _, header := range []map[string]string{
		{"Authorization": token}, {"Authorization": "Basic " + token}, {"Authorization": "Bearer " + token + " x"}, {"Cookie": "ticklane=" + token}, {"Sec-Websocket-Protocol": "ticklane.bearer." + token},
	} {
		r.do("GET", base+"/api/symbols", "", header, nil)
		r.do("GET", base+"/ws/subscribe", "", header, nil)
	}
	r.do("POST", base+"/api/ingest", `{"T":"q"}`, map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/x-ndjson"}, nil)
	r.do("POST", base+"/api/revocations", `{"jti":"`+token[:8]+`"`, bearer, nil)

	_, session := r.do("POST", base+"/sign-in", url.Values{"token": {token}}.Encode(), own, setCookie)
	cookie := map[string]string{"Cookie": "ticklane=" + session, "Origin": base}
	_, renewed := r.do("POST", base+"/api/session/renew", "", cookie, setCookie)
	if renewed != "" {
		cookie["Cookie"] = "ticklane=" + renewed
	}
	r.do("GET", base+"/api/session", "", cookie, nil)
	r.do("GET", base+"/api/session", "", map[string]string{"Cookie": cookie["Cookie"], "Origin": "http://evil.example"}, nil)
	_, conn := r.do("GET", base+"/sse/subscribe?limit=1", "", bearer, connText)
	for range 2 {
		_, ticket := r.do("POST", base+"/api/ticket", "", cookie, ticketText)
		r.do("GET", base+"/sse/subscribe?limit=1&ticket="+ticket, "", nil, connText)
		r.do("GET", base+"/sse/subscribe?limit=1&ticket="+ticket, "", nil, connText)
	}
	r.do("GET", base+"/sse/subscribe?limit=1", "", cookie, connText)
	r.do("POST", base+"/sse/connections/"+conn, `{"action":"auth","token":"`+token+`"}`, map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + token}, nil)
	r.socket(token)
	r.do("POST", base+"/sign-out", "", cookie, nil)
}

// socket opens WebSockets with a token in the header, as a subprotocol and as a message.
func (r *secretRun) socket(token string) {
	r.Helper()
	for _, d := range []ws.Dialer{
		{Header: ws.HandshakeHeaderHTTP{"Authorization": {"Bearer " + token}}},
		{Protocols: []string{"ticklane.v1.json", "ticklane.bearer." + base64.RawURLEncoding.EncodeToString([]byte(token))}},
		{},
	} {
		nc, buffered, hs, err := d.Dial(r.Context(), "ws://"+r.addr+"/ws/subscribe?limit=2")
		if err != nil {
			continue // the token isn't valid
		}
		if hs.Protocol != "" && hs.Protocol != "ticklane.v1.json" {
			r.Errorf("subprotocol %s", hs.Protocol)
		}
		in := io.Reader(nc)
		if buffered != nil {
			in = io.MultiReader(buffered, nc)
		}
		nc.SetDeadline(time.Now().Add(20 * time.Second))
		_ = wsutil.WriteClientText(nc, []byte(`{"action":"auth","token":"`+token+`","id":1}`))
		for {
			text, _, err := wsutil.ReadServerData(struct {
				io.Reader
				io.Writer
			}{in, nc})
			if err != nil {
				break
			}
			if conn := connText.FindSubmatch(text); conn != nil {
				r.secrets["conn of a WebSocket "+string(conn[1][:4])] = string(conn[1])
				continue
			}
			r.requests++
			r.answers[fmt.Sprintf("%d: message", r.requests)] = string(text)
		}
		nc.Close()
	}
}

// check stops the server and looks for each secret in everything that it has put out.
func (r *secretRun) check(expected int) {
	r.Helper()
	for _, path := range []string{"/metrics", "/api/connections", "/api/stats", "/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1"} {
		r.do("GET", r.admin+path, "", nil, nil)
	}
	// As logrotate does.
	record := filepath.Join(r.dir, "audit.log")
	if err := os.Rename(record, record+".1"); err != nil {
		r.Fatal(err)
	}
	if err := r.Process.Signal(syscall.SIGHUP); err != nil {
		r.Fatal(err)
	}
	testkit.Eventually(r, func() bool {
		r.do("GET", "http://"+r.addr+"/api/symbols", "", nil, nil)
		text, err := os.ReadFile(record)
		return err == nil && len(text) > 0
	}, "a new audit log with a refused request")
	if err := r.Process.Signal(syscall.SIGTERM); err != nil {
		r.Fatal(err)
	}
	if err := r.Wait(); err != nil {
		r.Error(err)
	}
	for _, name := range []string{"audit.log", "audit.log.1", "revocations"} {
		text, err := os.ReadFile(filepath.Join(r.dir, name))
		if err != nil && name != "revocations" {
			r.Fatal(err)
		}
		r.answers[name] = string(text)
	}
	r.answers["log"] = r.log.String()
	if len(r.secrets) < expected {
		r.Errorf("only %d secrets were used: %v", len(r.secrets), r.secrets)
	}
	for what, text := range r.answers {
		for name, secret := range r.secrets {
			for _, form := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret))} {
				if strings.Contains(text, form) {
					at := strings.Index(text, form)
					r.Errorf("the secret %s is in %s: …%s…", name, what, text[max(0, at-80):min(len(text), at+80)])
				}
			}
		}
	}
	if !strings.Contains(r.answers["audit.log"], `"route":"GET /api/symbols","decision":"denied"`) {
		r.Errorf("after SIGHUP the audit log has %s", r.answers["audit.log"])
	}
	if !strings.Contains(r.answers["log"], "audit.file opened again") || strings.Contains(r.answers["log"], "SIGHUP ignored") {
		r.Errorf("the log doesn't say that audit.file was opened again: %s", r.answers["log"])
	}
	for _, want := range []string{"sign_in", "sign_out", "stream_opened", "stream_ended", `"decision":"denied"`} {
		if !strings.Contains(r.answers["audit.log.1"], want) {
			r.Errorf("the audit log has no %s", want)
		}
	}
}

// TestSecretsStayInside uses every kind of secret in every place, right and wrong, and looks for them in all output of the server.
func TestSecretsStayInside(t *testing.T) {
	t.Run("tokens", func(t *testing.T) {
		t.Parallel()
		r := newSecretRun(t, func(r *secretRun) string {
			file := filepath.Join(r.dir, "tokens.yaml")
			for name, rights := range map[string][]string{"reader": {"--read", "*"}, "admin": {"--read", "*", "--write", "*", "--may", "admin"}} {
				out, _, err := runToken(append([]string{"new", name, "--file", file}, rights...)...)
				if err != nil {
					t.Fatal(err)
				}
				r.secrets[name] = strings.TrimSpace(out)
			}
			return fmt.Sprintf("auth: {mode: token, tokens: %s, session_key_file: %s}\nstream: {engine: shard}\n", file, r.write("session.key", r.newSecret("session key", 32)))
		})
		r.secrets["unknown token"] = "tl_" + strings.Repeat("unknown", 6) + "x"
		for _, name := range []string{"reader", "admin", "unknown token"} {
			r.use(r.secrets[name])
		}
		r.check(20)
	})
	t.Run("JWT and feed", func(t *testing.T) {
		t.Parallel()
		r := newSecretRun(t, func(r *secretRun) string {
			secret := r.newSecret("HMAC secret", 32)
			return fmt.Sprintf("auth: {mode: jwt, jwt: {secret_file: %s, issuer: us}}\nfeed: {source: ingest, ingest: {token: %s}}\n", r.write("hmac.key", secret), r.newSecret("feed token", 16))
		})
		key := []byte(r.secrets["HMAC secret"])
		for i, expires := range []time.Duration{time.Hour, -time.Hour} {
			claims := jwt.MapClaims{"iss": "us", "aud": "ticklane", "sub": "ann", "jti": fmt.Sprint("id", i), "exp": time.Now().Add(expires).Unix(),
				"ticklane": []map[string]any{{"read": []string{"*"}, "may": []string{"lab", "metrics"}}}}
			token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(key)
			if err != nil {
				t.Fatal(err)
			}
			r.secrets[fmt.Sprint("JWT ", i)] = token
		}
		lines := `{"T":"instrument","S":"AAPL","sector":"x"}` + "\n" + `{"T":"q","S":"AAPL","p":1.5,"n":1}` + "\n"
		feed := map[string]string{"Authorization": "Bearer " + r.secrets["feed token"], "Content-Type": "application/x-ndjson"}
		if status, _ := r.do("POST", "http://"+r.addr+"/api/ingest?source=a", lines, feed, nil); status != http.StatusOK {
			t.Errorf("the feed's token: status %d", status)
		}
		stop := r.feed(feed)
		for _, name := range []string{"JWT 0", "JWT 1", "feed token"} {
			r.use(r.secrets[name])
		}
		stop()
		var parts []string
		for name, s := range r.secrets {
			if strings.HasPrefix(name, "JWT") {
				parts = append(parts, s[strings.LastIndexByte(s, '.')+1:]) // the signature alone
			}
		}
		for i, s := range slices.Sorted(slices.Values(parts)) {
			r.secrets[fmt.Sprint("signature ", i)] = s
		}
		r.check(12)
	})
}

// feed sends ticks until stop is called, so that bounded streams end.
func (r *secretRun) feed(header map[string]string) (stop func()) {
	ctx, cancel := context.WithCancel(r.Context())
	var done sync.WaitGroup
	done.Go(func() {
		for n := 2; ctx.Err() == nil; n++ {
			line, _ := json.Marshal(map[string]any{"T": "q", "S": "AAPL", "p": 1.5 + float64(n%10), "n": n})
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.addr+"/api/ingest?source=a", bytes.NewReader(line))
			if err != nil {
				return
			}
			for name, value := range header {
				request.Header.Set(name, value)
			}
			if resp, err := http.DefaultClient.Do(request); err == nil {
				resp.Body.Close()
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	return func() { cancel(); done.Wait() }
}

//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ticklane/internal/config"
	"ticklane/internal/testkit"
)

// TestServerWithTokens: the settings reach the server, and it follows the file that ticklane token writes.
func TestServerWithTokens(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	secret, _, err := runToken("new", "desk", "--file", file, "--read", "*")
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p := startServerLogging(t, log, "--auth.mode=token", "--auth.tokens="+file, "--lab.enabled=true")
	do := func(method, path, token, body string) *http.Response {
		t.Helper()
		req, err := http.NewRequest(method, "http://"+p.addr+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	get := func(path, token string) *http.Response {
		t.Helper()
		return do(http.MethodGet, path, token, "")
	}
	status := func(token string) int {
		t.Helper()
		resp := get("/api/quotes", token)
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode
	}
	secret = strings.TrimSpace(secret)
	if none, good := status(""), status(secret); none != 401 || good != 200 {
		t.Errorf("status %d without a token, %d with one", none, good)
	}
	lab, _, err := runToken("new", "lab", "--file", file, "--may", "lab,metrics")
	if err != nil {
		t.Fatal(err)
	}
	lab = strings.TrimSpace(lab)
	clients := func(sse, ws int) { // those of the lab, which have their own token
		t.Helper()
		testkit.Eventually(t, func() bool {
			resp := do(http.MethodPost, "/api/lab/background", lab, fmt.Sprintf(`{"sse":%d,"ws":%d}`, sse, ws))
			resp.Body.Close()
			return resp.StatusCode == 200
		}, "the token of the lab is valid")
		testkit.Eventually(t, func() bool {
			resp := get("/api/stats", lab)
			defer resp.Body.Close()
			var stats struct {
				Lanes map[string]struct{ Connections, Ticks int }
			}
			if err := json.NewDecoder(resp.Body).Decode(&stats); err != nil {
				t.Fatal(err)
			}
			return stats.Lanes["sse"].Connections == sse && stats.Lanes["ws"].Connections == ws && stats.Lanes["ws"].Ticks > 0
		}, "streams of the lab's clients")
	}
	clients(1, 2)
	clients(0, 0)
	stream := get("/sse/subscribe?topics=AAPL", secret)
	defer stream.Body.Close()
	if _, _, err := runToken("revoke", "desk", "--file", file); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(stream.Body); err != nil || !strings.Contains(string(text), `"T":"bye"`) || !strings.Contains(string(text), `"reason":"revoked"`) {
		t.Errorf("the open stream: %v after %.2000s", err, text)
	}
	testkit.Eventually(t, func() bool { return status(secret) == 401 }, "the token is revoked")
	if secret, _, err = runToken("new", "desk", "--file", file, "--read", "*"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := runToken("new", "slow", "--file", file, "--read", "*", "--delay", "15m"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, func() bool { return status(strings.TrimSpace(secret)) == 200 }, "the new token is valid")
	testkit.Eventually(t, func() bool {
		text, err := os.ReadFile(log.Name())
		return err == nil && strings.Contains(string(text), "delay=15m0s tokens=[slow]")
	}, "a warning that the delay needs a restart")
}

// TestAccessSettingsRefused: the server doesn't start with files that are wrong, and names the setting.
func TestAccessSettingsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("tokens: [{}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(strings.Repeat("s", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]config.Auth{
		"auth.tokens: ":           {Mode: "token", Tokens: file},
		"auth.jwt.keys: ":         {Mode: "jwt", JWT: config.JWT{Keys: []string{file}, Audience: "a"}},
		"auth.session_key_file: ": {Mode: "jwt", SessionKeyFile: file, JWT: config.JWT{Audience: "a", SecretFile: secret}},
		"auth.revocations: ":      {Mode: "token", Revocations: file},
	} {
		if _, err := newAccess(c, slog.New(slog.DiscardHandler)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
	cfg := config.Config{Auth: config.Auth{Mode: "token"}, Server: config.Server{Addr: "127.0.0.1:0"}}
	var coded *codedError
	if err := serve(t.Context(), cfg, io.Discard); !errors.As(err, &coded) || coded.code != exitUsage {
		t.Errorf("%v; want exit code %d", err, exitUsage)
	}
}

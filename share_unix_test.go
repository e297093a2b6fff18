//go:build unix

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

// TestServersShareCredentials: a ticket of one server opens a stream on another, and a token that is revoked in the file of one is revoked
// on all, also on a server that starts later.
func TestServersShareCredentials(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, copied, key := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml"), filepath.Join(dir, "key")
	secret, _, err := runToken("new", "desk", "--file", file, "--read", "*")
	if err != nil {
		t.Fatal(err)
	}
	secret = strings.TrimSpace(secret)
	if err := os.WriteFile(copied, []byte(readText(t, file)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte(strings.Repeat("k", 40)), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--bus.kind=nats", "--bus.nats.url=" + natstest.New(t, nil).URL(), "--auth.mode=token", "--auth.session_key_file=" + key}
	start := func(tokens string) *process {
		t.Helper()
		return startServer(t, append(args, "--auth.tokens="+tokens)...)
	}
	request := func(p *process, method, path, token string) (status int, body string) {
		t.Helper()
		req, err := http.NewRequest(method, "http://"+p.addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
	a, b := start(file), start(copied)
	_, body := request(a, http.MethodPost, "/api/ticket", secret)
	var answer struct{ Ticket string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	for _, want := range []int{http.StatusOK, http.StatusUnauthorized} {
		status, body := request(b, http.MethodGet, "/sse/subscribe?limit=1&ticket="+answer.Ticket, "")
		if used := "The ticket was used already, has expired, is of a page of another origin, or is not of these servers"; status != want || status == http.StatusUnauthorized && !strings.Contains(body, used) {
			t.Errorf("status %d, want %d: %s", status, want, body)
		}
	}
	if _, _, err := runToken("revoke", "desk", "--file", file); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, func() bool {
		status, _ := request(b, http.MethodGet, "/api/quotes", secret)
		return status == http.StatusUnauthorized
	}, "revoked on the other server")
	if status, _ := request(start(copied), http.MethodGet, "/api/quotes", secret); status != http.StatusUnauthorized {
		t.Errorf("a server that starts: status %d", status)
	}
}

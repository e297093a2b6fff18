package check

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// freePort returns an address of loopback with a port that was free.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// TestCaddyfile runs Caddy with the file of compose in front of a server. The tests in deploy/proxies have more of the streams.
func TestCaddyfile(t *testing.T) {
	server := startTicklane(t)
	b, err := os.ReadFile("../compose/Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	// Certificates of Caddy's own authority, which isn't added to those that this machine trusts.
	options := "{\n\tadmin off\n\tskip_install_trust\n\tlocal_certs\n\tauto_https disable_redirects\n}\n"
	dir := t.TempDir()
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, append([]byte(options), b...), 0o600); err != nil {
		t.Fatal(err)
	}
	site := strings.Replace(freePort(t), "127.0.0.1", "localhost", 1)
	t.Setenv("SITE", site)
	t.Setenv("SERVER", server)
	t.Setenv("XDG_DATA_HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", dir)
	start(t, "CADDY", "run", "--config", file, "--adapter", "caddyfile")

	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	get := func(path string) (*http.Response, error) { return client.Get("https://" + site + path) }
	deadline := time.Now().Add(20 * time.Second)
	for {
		resp, err := get("/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the proxy isn't ready: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	for path, want := range map[string]int{
		"/": 200, "/api/quotes": 200, "/metrics": 404, "/api/stats": 404, "/api/connections": 404, "/cluster": 404, "/api/cluster": 404, "/api/lab": 404, "/api/lab/rate": 404,
		"/api/revocations": 404, "/debug/pprof/heap": 404, "//metrics": 404, "/%6detrics": 404, "/api/./stats": 404, "/x/../api/stats": 404, "/api//connections": 404,
	} {
		resp, err := get(path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want || resp.ProtoMajor != 2 {
			t.Errorf("%s: %s %s, want %d", path, resp.Proto, resp.Status, want)
		}
	}
	resp, err := get("/sse/subscribe?limit=3")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	ticks := 0
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), `data: {"T":"q"`) {
			ticks++
		}
	}
	if ticks != 3 {
		t.Errorf("%d ticks, want 3", ticks)
	}
}

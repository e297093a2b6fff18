package loadtest

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ticklane/internal/loadtest/report"
)

// startProxy starts a reverse proxy to a server. change may change each request.
func startProxy(t *testing.T, server string, change func(*http.Request)) *httptest.Server {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(u)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	proxy.Transport, proxy.FlushInterval = transport, -1
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		change(r)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func dropUpgrade(r *http.Request) {
	r.Header.Del("Upgrade")
	r.Header.Del("Connection")
}

// TestProxyDropsUpgrade: what was measured on the other lane is kept, and the reason is given once.
func TestProxyDropsUpgrade(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t, startTestServer(t, 500, 1000), dropUpgrade)
	o := smallOptions(t, proxy.URL)
	var log strings.Builder
	o.Log = NewProgress(&log, false)
	o.Thresholds = []string{"sse:lost==0", "ws:lost==0"}
	r, err := run(t, o)
	if r == nil || !errors.Is(err, ErrIncomplete) && !errors.Is(err, ErrInvalid) { // invalid: the machine is busy
		t.Fatalf("%+v, %v", r, err)
	}
	const reason = "a proxy before the server drops the header Upgrade"
	if failed := r.Variants[1].Failed; !strings.HasPrefix(failed, reason) || !strings.Contains(failed, "proxy_set_header Upgrade") || r.Variants[0].Failed != "" {
		t.Errorf("%+v", r.Variants)
	}
	if len(r.Windows) != 2 || r.Windows[0].Variant != "A" || r.Windows[1].Variant != "A" || r.Windows[1].Ticks == 0 {
		t.Errorf("%d windows", len(r.Windows))
	}
	if !strings.HasPrefix(r.Headline, "WebSocket could not be measured: "+reason) && r.Status == report.StatusIncomplete {
		t.Errorf("%q", r.Headline)
	}
	if x := r.Thresholds; !x[0].Held || x[1].Held {
		t.Errorf("%+v", x)
	}
	var table strings.Builder
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	text := log.String() + table.String() + err.Error()
	if n := strings.Count(strings.Join(strings.Fields(text), " "), reason); n != 1 {
		t.Errorf("the reason is given %d times:\n%s", n, text)
	}
}

func TestProxyDropsUpgradeInADrill(t *testing.T) {
	t.Parallel()
	o := smallOptions(t, startProxy(t, startTestServer(t, 500, 1000), dropUpgrade).URL)
	o.Drill, o.Conns = report.DrillStorm, 4
	r, err := run(t, o)
	if r == nil || !errors.Is(err, ErrIncomplete) || len(r.Drills) != 1 || !strings.Contains(r.Headline, "SSE: of 4 cut at once 4 reconnected") {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := r.HTML(); err != nil {
		t.Error(err)
	}
}

// TestServerEnds: the windows before the end of a server are kept.
func TestServerEnds(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t, startTestServer(t, 500, 1000), func(*http.Request) {})
	o := smallOptions(t, proxy.URL)
	o.Rounds, o.Duration = 1000, 100*time.Millisecond
	o.Log = NewProgress(writerFunc(func(p []byte) (int, error) {
		if strings.Contains(string(p), "4/2000") {
			proxy.Listener.Close()
			proxy.CloseClientConnections()
		}
		return len(p), nil
	}), false)
	r, err := run(t, o)
	if r == nil || !errors.Is(err, ErrIncomplete) && !errors.Is(err, ErrInvalid) || len(r.Windows) != 4 {
		t.Fatalf("%+v, %v", r, err)
	}
	if !strings.Contains(r.Headline, "SSE, WebSocket could not be measured to the end: no server answers at") || len(r.Metrics) == 0 {
		t.Errorf("%q", r.Headline)
	}
}

// TestNothingMeasured: the reason that all variants have in common is given once.
func TestNothingMeasured(t *testing.T) {
	r, err := run(t, smallOptions(t, "http://127.0.0.1:1"))
	if r != nil || err == nil || strings.Count(err.Error(), "no server answers") != 1 {
		t.Errorf("%v, %v", r, err)
	}
}

func TestReasonsGiven(t *testing.T) {
	given := make(reasonsGiven)
	late := func(text string) *report.Window { return &report.Window{Reasons: []string{text}} }
	for k, c := range []struct {
		window *report.Window
		want   string
	}{
		{late("late by 11.5 ms"), "left out: late by 11.5 ms"}, {&report.Window{Valid: true}, ""}, {late("late by 61 ms"), "left out: as window 1"},
		{late("3 gaps"), "left out: 3 gaps"}, {late("12 gaps"), "left out: as window 4"},
	} {
		if got := strings.TrimSpace(given.text(c.window, k+1)); got != c.want {
			t.Errorf("window %d: %q, want %q", k+1, got, c.want)
		}
	}
}

// TestUntrustedCertificate: a certificate that isn't trusted is reported as such, and the remedy in the error works.
func TestUntrustedCertificate(t *testing.T) {
	t.Parallel()
	fake, err := url.Parse(startFakeServer(t, http.NotFound))
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	proxy := httputil.NewSingleHostReverseProxy(fake)
	proxy.Transport = transport
	s := httptest.NewTLSServer(proxy)
	t.Cleanup(s.Close)
	if r, err := run(t, smallOptions(t, s.URL)); r != nil || err == nil || !strings.Contains(err.Error(), "is not trusted: x509") || !strings.Contains(err.Error(), "SSL_CERT_FILE=") {
		t.Errorf("%v", err)
	}
	file := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	reach := func(address string) string {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(self, "reach", address)
		cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+file)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	if got := reach(s.URL); got != "reached" {
		t.Errorf("with SSL_CERT_FILE: %s", got)
	}
	if got := reach(strings.Replace(s.URL, "127.0.0.1", "localhost", 1)); !strings.Contains(got, "is for another host") {
		t.Errorf("localhost: %s", got)
	}
}

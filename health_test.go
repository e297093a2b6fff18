package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ticklane/internal/config"
)

// TestHealth checks the result of each state of a server, with and without TLS.
func TestHealth(t *testing.T) {
	ready := http.NewServeMux()
	ready.HandleFunc("GET localhost/readyz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ready\n")) })
	status := func(code int, text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
			_, _ = w.Write([]byte(text))
		})
	}
	for name, c := range map[string]struct {
		handler http.Handler
		tls     bool
		want    string // part of the error, empty for none
	}{
		"ready":         {ready, false, ""},
		"ready, TLS":    {ready, true, ""},
		"shutting down": {status(503, "shutting down\n"), false, "status 503: shutting down"},
		"redirect":      {status(303, ""), false, "status 303"},
		"not Ticklane":  {http.NotFoundHandler(), false, "status 404"},
		"endless text":  {status(500, strings.Repeat("x", 1<<20)), false, "status 500"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(c.handler)
			settings := config.Server{Addr: s.Listener.Addr().String()}
			if c.tls {
				s.StartTLS()
				settings.TLSCert = "cert.pem"
			} else {
				s.Start()
			}
			defer s.Close()
			var out strings.Builder
			err := checkHealth(t.Context(), settings, &out)
			if c.want == "" && (err != nil || out.String() != "ready\n") {
				t.Errorf("%q, %v", out.String(), err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 400) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestHealthWithoutServer checks that an address without a server, and a server that doesn't answer, are failures.
func TestHealthWithoutServer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	settings := config.Server{Addr: ln.Addr().String()}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := checkHealth(ctx, settings, &strings.Builder{}); err == nil {
		t.Error("a server that doesn't answer is healthy")
	}
	ln.Close()
	if err := checkHealth(t.Context(), settings, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), settings.Addr) {
		t.Errorf("without a server: %v", err)
	}
}

func TestHealthAddr(t *testing.T) {
	for addr, want := range map[string]string{
		":3000": "127.0.0.1:3000", "0.0.0.0:3000": "127.0.0.1:3000", "[::]:3000": "127.0.0.1:3000",
		"127.0.0.1:80": "127.0.0.1:80", "[::1]:80": "[::1]:80", "192.0.2.7:443": "192.0.2.7:443", "quotes.example.com:443": "quotes.example.com:443",
	} {
		if got, err := healthAddr(addr); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", addr, got, err, want)
		}
	}
	if _, err := healthAddr("127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), "port 0") {
		t.Errorf("port 0: %v", err)
	}
}

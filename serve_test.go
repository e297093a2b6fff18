package main

import (
	"log/slog"
	"net"
	"strings"
	"testing"

	"ticklane/internal/config"
	"ticklane/internal/shard"
)

func TestShardUnavailable(t *testing.T) {
	for _, c := range []struct {
		engine, cert string
		unavailable  bool
	}{{"stream", "", false}, {"stream", "a.pem", false}, {"shard", "", !shard.Available}, {"shard", "a.pem", true}} {
		cfg := config.Config{Stream: config.Stream{Engine: c.engine}, Server: config.Server{TLSCert: c.cert}}
		if got := shardUnavailable(cfg); (got != "") != c.unavailable {
			t.Errorf("engine %s with certificate %q: %q", c.engine, c.cert, got)
		}
	}
}

// TestWarnExposed checks the warnings of settings on an address that other machines can reach.
func TestWarnExposed(t *testing.T) {
	for _, c := range []struct {
		ip         string
		hosts      []string
		lab        bool
		logs, warn bool
	}{
		{"127.0.0.1", nil, true, false, false},
		{"0.0.0.0", nil, false, true, false},
		{"::", nil, false, true, false},
		{"::", []string{"a.example"}, false, false, false},
		{"::", []string{"a.example"}, true, true, true},
		{"192.0.2.1", nil, false, false, false},
		{"192.0.2.1", nil, true, true, true},
	} {
		var out, log strings.Builder
		cfg := config.Config{Server: config.Server{Hosts: c.hosts}, Lab: config.Lab{Enabled: c.lab}}
		warnExposed(&out, cfg, &net.TCPAddr{IP: net.ParseIP(c.ip), Port: 80}, slog.New(slog.NewTextHandler(&log, nil)))
		if strings.Contains(out.String(), "WARNING: lab.enabled") != c.warn || (log.Len() > 0) != c.logs {
			t.Errorf("%+v: %q, log %q", c, out.String(), log.String())
		}
		if c.logs && !c.lab && !(strings.Contains(log.String(), "server.hosts") && strings.Contains(log.String(), "server.trusted_proxies")) {
			t.Errorf("%+v: log %q", c, log.String())
		}
	}
}

package main

import (
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

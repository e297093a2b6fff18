package main

import (
	"testing"

	"ticklane/internal/config"
	"ticklane/internal/shard"
)

func TestNoShard(t *testing.T) {
	for _, c := range []struct {
		engine, cert string
		told         bool
	}{{"stream", "", false}, {"stream", "a.pem", false}, {"shard", "", !shard.Available}, {"shard", "a.pem", true}} {
		cfg := config.Config{Stream: config.Stream{Engine: c.engine}, Server: config.Server{TLSCert: c.cert}}
		if got := noShard(cfg); (got != "") != c.told {
			t.Errorf("engine %s with certificate %q: %q", c.engine, c.cert, got)
		}
	}
}

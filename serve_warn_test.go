package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"ticklane/internal/config"
)

// TestUnusedSettings: history.keep without data.dir is reported, its default isn't.
func TestUnusedSettings(t *testing.T) {
	for _, c := range []struct {
		dir  string
		keep time.Duration
		warn bool
	}{{"", 0, false}, {"", time.Hour, true}, {"data", time.Hour, false}} {
		cfg := config.Default()
		if cfg.Data.Dir = c.dir; c.keep > 0 {
			cfg.History.Keep.Bars1m = c.keep
		}
		var log strings.Builder
		warnUnused(cfg, slog.New(slog.NewTextHandler(&log, nil)))
		if strings.Contains(log.String(), "history.keep has no effect without data.dir") != c.warn {
			t.Errorf("%+v: %q", c, log.String())
		}
	}
}

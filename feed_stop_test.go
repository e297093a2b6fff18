package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"ticklane/internal/config"
)

// TestStopWhileStandardInputIsRead: a stop ends the server before it serves, while what it is to replay has no end yet.
func TestStopWhileStandardInputIsRead(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func(stdin *os.File) { os.Stdin = stdin; r.Close() }(os.Stdin)
	defer w.Close()
	os.Stdin = r
	cfg, err := config.Load(nil, []string{
		"TICKLANE_FEED_SOURCE=replay", "TICKLANE_FEED_FILE=-", "TICKLANE_SERVER_ADDR=127.0.0.1:0", "TICKLANE_LOG_LEVEL=error",
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	var out strings.Builder
	if err := serve(ctx, cfg, &out); err != nil || out.Len() > 0 {
		t.Errorf("error %v, output %q", err, &out)
	}
}

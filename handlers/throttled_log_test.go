package handlers

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestThrottledLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := throttledLog{log: slog.New(slog.NewTextHandler(&out, nil)), message: "it happened"}
		want := func(records, times string) {
			t.Helper()
			if got := out.String(); strings.Count(got, "it happened") != len(records) || times != "" && !strings.Contains(got, "times="+times+" ") {
				t.Errorf("want %d records, with times=%s: %s", len(records), times, got)
			}
		}
		for range 1000 {
			l.warn("cause", "x")
		}
		want("1", "1")
		time.Sleep(logInterval - time.Millisecond)
		l.warn("cause", "x")
		want("1", "")
		time.Sleep(time.Millisecond)
		l.warn("cause", "x")
		want("12", "1001")
	})
}

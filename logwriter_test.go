package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// fullDisk accepts free bytes.
type fullDisk struct {
	bytes.Buffer
	free int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	n := min(len(p), d.free)
	d.free -= n
	d.Buffer.Write(p[:n])
	if n < len(p) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

// TestLogWriter checks that lost records are counted, and reported once a minute at most when writing works again.
func TestLogWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &fullDisk{free: 10}
		w := &logWriter{out: disk}
		write := func(record string) { _, _ = w.Write([]byte(record + "\n")) }
		write("one")
		write("partial")
		write("lost")
		if w.Failed() != 2 {
			t.Errorf("%d lost records counted", w.Failed())
		}
		disk.free = 1 << 20
		write("again")
		if got := disk.String(); !strings.HasPrefix(got, "one\npartia\nagain\n") || !strings.Contains(got, "log records lost") || !strings.Contains(got, "records=2") {
			t.Errorf("%q", got)
		}
		disk.Reset()
		disk.free = 0
		write("lost")
		disk.free = 1 << 20
		write("soon")
		if got := disk.String(); got != "soon\n" {
			t.Errorf("within a minute: %q", got)
		}
		time.Sleep(time.Minute)
		write("later")
		if got := disk.String(); !strings.HasPrefix(got, "soon\nlater\n") || !strings.Contains(got, "records=1") {
			t.Errorf("after a minute: %q", got)
		}
	})
}

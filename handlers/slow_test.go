package handlers

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"ticklane/internal/metrics"
	"ticklane/internal/stream"
	"ticklane/internal/wire"
)

// narrow opens a stream whose client has next to no room for what it hasn't read.
func (h *house) narrow(lane wire.Lane, query string) *client {
	h.Helper()
	d := net.Dialer{Timeout: patience, Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		if e := raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) }); e != nil {
			return e
		}
		return err
	}}
	nc, err := d.Dial("tcp", h.addr)
	if err != nil {
		h.Fatal(err)
	}
	c := h.over(nc)
	if lane == wire.SSE {
		c.events(query)
	} else {
		c.upgrade(query)
	}
	c.greet()
	return c
}

// follow compares a stream of everything, which starts at seq 1, with the tape byte by byte, up to seq last.
func (c *client) follow(last uint64) error {
	in := io.Reader(c.r)
	if c.format == wire.SSEJSON {
		in = c.body
	}
	c.nc.SetDeadline(time.Now().Add(2 * patience))
	at, buf := 0, make([]byte, 32<<10)
	for {
		n, err := in.Read(buf)
		if err != nil {
			return err
		}
		c.tape.mu.RLock()
		all := c.tape.bytes[c.format]
		same := at+n <= len(all) && bytes.Equal(all[at:at+n], buf[:n])
		at += n
		done := uint64(len(c.tape.end[c.format])) >= last && at >= c.tape.end[c.format][last-1]
		c.tape.mu.RUnlock()
		if !same {
			return errors.New("a byte differs")
		}
		if done {
			return nil
		}
	}
}

// TestStalledAmongOthers: clients that stop reading among 200 others at 1,000 ticks/s. The others get every byte, the
// stalled ones are cut and counted, and memory stays bounded.
func TestStalledAmongOthers(t *testing.T) {
	h := open(t, plan{
		settings: func(s *Settings) { s.WriteTimeout, s.WriteBuffer = 2*time.Second, 4096 },
	})
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var others []*client
	for range 100 {
		for _, lane := range lanes {
			c := h.stream(lane, "snapshot=false")
			others = append(others, c)
		}
	}
	heapBefore, rssBefore := heap(), metrics.ReadProcess().RSS
	for _, lane := range lanes {
		h.narrow(lane, "snapshot=false")
	}
	const last = 3000
	var readers sync.WaitGroup
	for k, c := range others {
		readers.Go(func() {
			if err := c.follow(last); err != nil {
				t.Errorf("client %d on %s: %v", k, c.format, err)
			}
		})
	}
	stop := h.steady(1000)
	until(t, "the ticks", func() bool { return h.log.Head().Seq >= last })
	stop() // now: who has read up to the last stops reading, too
	readers.Wait()
	until(t, "the stalled clients' end", func() bool { return h.live() == len(others) })
	heapAfter, rssAfter := heap(), metrics.ReadProcess().RSS
	for _, lane := range lanes {
		if got := h.log.Lane(lane); got.Slow != 1 || got.Gaps != 0 || got.Ticks < 100*last {
			t.Errorf("%s: %+v", lane, got)
		}
	}
	// The tape, which is the test's, keeps each tick three times over: some 3 MB of it.
	t.Logf("heap %d KB before, %d KB after %d ticks; resident %d KB before, %d KB after", heapBefore>>10, heapAfter>>10, last, rssBefore>>10, rssAfter>>10)
	if grown := int64(heapAfter) - int64(heapBefore); grown > 32<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

// TestStalledClientComesBack: one that reads again in time is told exactly what it missed, and loses nothing else.
func TestStalledClientComesBack(t *testing.T) {
	onLanes(t, plan{log: stream.Config{Size: 1024, MaxLag: 600}, settings: func(s *Settings) { s.WriteBuffer = 4096 }}, func(h *house, lane wire.Lane) {
		c := h.narrow(lane, "")
		c.want("snapshot")
		for range 100 {
			h.publish(100)
		}
		if h.audit(c, 10_000) == 0 {
			t.Error("no gap")
		}
		// It is at the head again, and a client like any other.
		h.publish(100)
		for i := uint64(10_001); i <= 10_100; i++ {
			if m := c.want("q"); m.I != i {
				t.Fatalf("%s, want i %d", m.text, i)
			}
		}
	})
}

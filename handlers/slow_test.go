package handlers

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

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

var errDiffers = errors.New("a byte differs")

// follow compares a stream of everything, which starts at seq 1, with the tape byte by byte, up to seq last, and tells how
// far it has come.
func (c *client) follow(last uint64, reached *atomic.Uint64) error {
	in := io.Reader(c.r)
	if c.format == wire.SSEJSON {
		in = c.body
	}
	c.nc.SetDeadline(time.Time{})
	at, buf, seq := 0, make([]byte, 32<<10), 0
	for uint64(seq) < last {
		n, err := in.Read(buf)
		if err != nil {
			return err
		}
		c.tape.mu.RLock()
		all, end := c.tape.bytes[c.format], c.tape.end[c.format]
		same := at+n <= len(all) && bytes.Equal(all[at:at+n], buf[:n])
		for at += n; same && seq < len(end) && end[seq] <= at; seq++ {
		}
		c.tape.mu.RUnlock()
		if !same {
			return errDiffers
		}
		reached.Store(uint64(seq))
	}
	return nil
}

// TestStalledAmongOthers: clients that stop reading among 200 others. The others get every byte, the stalled ones are cut
// and counted.
func TestStalledAmongOthers(t *testing.T) {
	tries(t, 2*time.Second, func(a testing.TB, limit time.Duration) { stalledAmongOthers(t, a, limit) })
}

// stalledAmongOthers fails t for a byte that is wrong, and the attempt when somebody else was too slow for the limit.
func stalledAmongOthers(t *testing.T, a testing.TB, limit time.Duration) {
	h := open(a, plan{settings: func(s *Settings) { s.WriteTimeout, s.WriteBuffer = limit, 4096 }})
	var others []*client
	for range 100 {
		for _, lane := range lanes {
			others = append(others, h.stream(lane, "snapshot=false"))
		}
	}
	for _, lane := range lanes {
		h.narrow(lane, "snapshot=false")
	}
	const last, step = 3000, 20
	var readers sync.WaitGroup
	var lost atomic.Bool // somebody's stream broke off
	reached := make([]atomic.Uint64, len(others))
	for k, c := range others {
		readers.Go(func() {
			switch err := c.follow(last, &reached[k]); {
			case errors.Is(err, errDiffers):
				t.Errorf("client %d on %s: %v", k, c.format, err)
				lost.Store(true)
			case err != nil:
				a.Errorf("client %d on %s: %v", k, c.format, err)
				lost.Store(true)
			}
		})
	}
	// No more is published than everybody's socket holds, so the others' writes don't block, however slowly they read.
	for seq := uint64(step); seq <= last && !lost.Load(); seq += step {
		h.publish(step)
		until(a, "the others to read on", func() bool {
			for k := range reached {
				if reached[k].Load() < seq {
					return lost.Load()
				}
			}
			return true
		})
	}
	if lost.Load() {
		for _, c := range others {
			c.nc.Close()
		}
		readers.Wait()
		return
	}
	readers.Wait()
	until(a, "the stalled clients' end", func() bool { return h.live() <= len(others) })
	for _, lane := range lanes {
		if got := h.log.Lane(lane); got.Slow != 1 || got.Gaps != 0 || got.Ticks < 100*last {
			a.Errorf("%s: %+v", lane, got)
		}
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

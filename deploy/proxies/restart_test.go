//go:build proxies && linux

package proxies

import (
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"
)

// client follows a stream as a program does: it reconnects at its last position, and checks that no tick is missing
// without a gap that reports it.
type client struct {
	t    testing.TB
	way  streamOfWay
	stop chan struct{}
	done sync.WaitGroup

	mu     sync.Mutex
	ticks  int
	opened int    // streams that had a hello
	byes   int    // byes with reason shutdown
	resume string // of the newest hello
}

func (c *client) follow() {
	epoch, last := "", uint64(0)
	for {
		query := "topics=*&snapshot=false"
		if epoch != "" {
			query += fmt.Sprintf("&from=%s-%d", epoch, last)
		}
		x, err := c.way.site.open(c.way.lane, query)
		if err == nil {
			epoch, last = c.read(x, epoch, last)
			x.close()
		}
		select {
		case <-c.stop:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// read reads one stream to its end, from a position, and returns the new position.
func (c *client) read(x *stream, epoch string, last uint64) (string, uint64) {
	for next := 0; ; {
		all, err := x.messages()
		for ; next < len(all); next++ {
			m := all[next]
			c.mu.Lock()
			switch m.T {
			case "hello":
				c.opened, c.resume = c.opened+1, m.Resume
				if epoch != "" && epoch != m.Epoch {
					c.t.Errorf("%s: the log is another one after the restart", c.way.name)
				}
				if epoch = m.Epoch; last == 0 {
					last = m.Head
				}
			case "gap":
				if m.From != last+1 || m.Missed != m.To-m.From+1 {
					c.t.Errorf("%s: a gap from %d to %d after %d", c.way.name, m.From, m.To, last)
				}
				last = m.To
			case "q":
				if m.I != last+1 {
					c.t.Errorf("%s: tick %d after %d", c.way.name, m.I, last)
				}
				last, c.ticks = m.I, c.ticks+1
			case "bye":
				if m.Reason == "shutdown" {
					c.byes++
				}
			}
			c.mu.Unlock()
		}
		if err != nil {
			return epoch, last
		}
		select {
		case <-c.stop:
			return epoch, last
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// checkRestart stops the server and starts it again while clients follow it. Through server.drain_delay they get ticks and
// the proxy's own check notices; then each gets a bye and comes back without a loss that isn't reported.
func (v *visit) checkRestart(flags []string) {
	var clients []*client
	for _, w := range v.streamed {
		c := &client{t: v.t, way: w, stop: make(chan struct{})}
		c.done.Go(c.follow)
		clients = append(clients, c)
	}
	defer func() {
		for _, c := range clients {
			close(c.stop)
		}
		for _, c := range clients {
			c.done.Wait()
		}
	}()
	each := func(what string, limit time.Duration, ok func(c *client) bool) {
		v.t.Helper()
		for _, c := range clients {
			until(v.t, c.way.name+": "+what, limit, func() bool {
				c.mu.Lock()
				defer c.mu.Unlock()
				return ok(c)
			})
		}
	}
	each("ticks", timeout, func(c *client) bool { return c.ticks > 5 })

	v.backend.signal(syscall.SIGTERM)
	until(v.t, "/readyz to fail", timeout, func() bool {
		status, _, _ := v.direct.do(http.MethodGet, "/readyz", "")
		return status == http.StatusServiceUnavailable
	})
	before := map[*client]int{}
	for _, c := range clients {
		c.mu.Lock()
		before[c] = c.ticks
		c.mu.Unlock()
	}
	if v.checks {
		until(v.t, "the proxy to notice that /readyz fails", 4*time.Second, func() bool {
			status, _, _ := v.sites[0].do(http.MethodGet, "/api/time", "")
			return status == http.StatusServiceUnavailable || status == http.StatusBadGateway
		})
		if status, _, body := v.direct.do(http.MethodGet, "/api/time", ""); status != http.StatusOK {
			v.t.Errorf("the server itself answered %d %s meanwhile", status, body)
		}
	}
	each("ticks until the shutdown, and a bye", timeout, func(c *client) bool { return c.byes == 1 && c.ticks > before[c]+5 })
	v.backend.wait()
	v.backend.run(flags...)
	v.ready(restarted)
	each("to come back", restarted, func(c *client) bool { return c.opened == 2 && c.ticks > before[c]+50 })
	for _, c := range clients {
		if c.resume != "complete" && c.resume != "gap" {
			v.t.Errorf("%s: resume %q", c.way.name, c.resume)
		}
	}
}

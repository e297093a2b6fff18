package shard

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"ticklane/internal/stream"
	"ticklane/internal/testkit"
	"ticklane/internal/wire"
)

// TestDescriptorReuse: among many short connections, none gets the bytes or events of another that had its descriptor before,
// and no descriptor is leaked.
func TestDescriptorReuse(t *testing.T) {
	newFixture(t, Options{}).pool.Close() // Go's poller opens descriptors when it is first used
	for _, writers := range []int{1, 4} {
		before := descriptors(t)
		h := newFixture(t, Options{Writers: writers})
		quit := make(chan struct{})
		var appender, clients sync.WaitGroup
		appender.Go(func() {
			for {
				select {
				case <-quit:
					return
				case <-time.After(time.Millisecond):
					h.publish(3)
				}
			}
		})
		for k := range 8 {
			clients.Go(func() {
				for i := range testkit.Rounds(40, 400) {
					mark := string([]byte{byte('a' + k), byte('a' + i%26), '\n'})
					echo := make(chan string, 1)
					p := &fakeProtocol{handleInput: func(b []byte) bool { echo <- string(b); return false }, action: CloseNow, final: mark}
					nc := h.connect(Handoff{ResponseHead: responseHead(mark), Options: stream.Options{Format: wire.WSJSON}}, p, false)
					expect(t, nc, mark)
					switch i % 3 {
					case 0:
						nc.(*net.TCPConn).SetLinger(0)
						nc.Close()
					case 1:
						nc.Close()
					default:
						io.WriteString(nc, mark)
						if got := <-echo; got != mark {
							t.Errorf("%q was handed to the connection of %q", got, mark)
						}
						if all, err := io.ReadAll(nc); err == nil && !bytes.HasSuffix(all, []byte(mark)) {
							t.Errorf("it ends with %q", all[max(0, len(all)-20):])
						}
						nc.Close()
					}
					p.awaitClose(t)
				}
			})
		}
		clients.Wait()
		close(quit)
		appender.Wait()
		if n := h.log.Lane(wire.WS).Connections; n != 0 {
			t.Errorf("%d streams left", n)
		}
		h.pool.Close()
		testkit.Eventually(t, func() bool { return descriptors(t) <= before }, "the descriptors to be closed")
	}
}

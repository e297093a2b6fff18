package handlers_test

import (
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"ticklane/handlers"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/testserver"
	"ticklane/internal/wire"
)

// kept is a listener that duplicates the descriptor of each accepted socket.
type kept struct {
	net.Listener
	last chan *os.File
}

func (k *kept) Accept() (net.Conn, error) {
	nc, err := k.Listener.Accept()
	if err == nil {
		var f *os.File
		if f, err = nc.(*net.TCPConn).File(); err == nil {
			k.last <- f
		}
	}
	return nc, err
}

// bytesSent returns the kernel's count of bytes (TCP_INFO: tcpi_bytes_sent less tcpi_bytes_retrans).
func bytesSent(t *testing.T, nc *os.File) uint64 {
	t.Helper()
	raw, err := nc.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info *unix.TCPInfo
	var failed error
	if err := raw.Control(func(fd uintptr) {
		info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return info.Bytes_sent - info.Bytes_retrans
}

// TestWireBytesAreTheKernels compares the wire bytes counted for a live stream with those that its socket sent.
func TestWireBytesAreTheKernels(t *testing.T) {
	for _, x := range []struct {
		lane  wire.Lane
		query string
	}{{wire.SSE, "engine=stream"}, {wire.SSE, "engine=shard"}, {wire.WS, "engine=shard"},
		{wire.SSE, "mode=latest&interval=10ms"}, {wire.SSE, "topics=S1,S3"},
		{wire.WS, "engine=stream"}, {wire.WS, "mode=latest&interval=10ms"}, {wire.WS, "topics=S1,S3"}} {
		t.Run(x.lane.String()+" "+x.query, func(t *testing.T) {
			sockets := &kept{last: make(chan *os.File, 1)}
			srv := newTestServer(t, testserver.Options{
				Deps:     func(d *handlers.Deps) { d.Lab = &handlers.Lab{} },
				Listener: func(ln net.Listener) net.Listener { sockets.Listener = ln; return sockets },
			})
			c := srv.Stream(x.lane, x.query+"&snapshot=false")
			socket := <-sockets.last
			defer socket.Close()
			stop := srv.PublishRate(2000)
			for range 50 {
				c.WaitFor("q")
			}
			stop()
			sub := srv.TickLog.Find(c.Hello.Conn)
			// A write is counted when it returns; until then the kernel's count is higher.
			testkit.Eventually(t, func() bool {
				counted, sent := sub.Counters().Wire, bytesSent(t, socket)
				return counted == sent && sent > 5000
			}, "both counts to be the same")
		})
	}
}

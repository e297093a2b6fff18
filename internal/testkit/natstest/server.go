// Package natstest runs NATS servers for tests, within the process. They listen on the loopback interface and keep their store while
// they are stopped.
package natstest

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// wait is how long a server or a cluster may take to become ready.
const wait = 30 * time.Second

// Server is a NATS server with JetStream. The test's end stops it.
type Server struct {
	*server.Server
	t       testing.TB
	options server.Options
}

// New starts a server. set changes its options; nil for none.
func New(t testing.TB, set func(*server.Options)) *Server {
	t.Helper()
	s := &Server{t: t, options: server.Options{
		Host: "127.0.0.1", Port: freePort(t), NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(), JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 4 << 30,
	}}
	if set != nil {
		set(&s.options)
	}
	s.Start()
	t.Cleanup(func() {
		s.await(func() bool { return s.NumClients() == 0 }) // what they sent before they closed is read
		s.Stop()
	})
	return s
}

// Start starts the server again, at the same port and with the same store, and waits until it is ready for connections.
func (s *Server) Start() {
	s.t.Helper()
	o := s.options
	started, err := server.NewServer(&o)
	if err != nil {
		s.t.Fatal(err)
	}
	started.Start()
	s.Server = started
	if !started.ReadyForConnections(wait) {
		s.t.Fatal("the NATS server isn't ready")
	}
}

// Stop stops the server once it has handled the requests that it has received. It may be called again.
func (s *Server) Stop() {
	// A stream that is created while the server stops would stay open.
	s.await(func() bool {
		info, err := s.Jsz(nil)
		return err != nil || info.API.Inflight == 0
	})
	s.Shutdown()
	s.WaitForShutdown()
}

// await waits for a condition, a few seconds at most.
func (s *Server) await(done func() bool) {
	for end := time.Now().Add(5 * time.Second); !done() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

// URL returns the address of the server.
func (s *Server) URL() string { return fmt.Sprintf("nats://127.0.0.1:%d", s.options.Port) }

// JetStream returns a connection to the JetStream of a server or cluster. The test's end closes it.
func JetStream(t testing.TB, url string) jetstream.JetStream {
	t.Helper()
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// Dir returns the directory of the store.
func (s *Server) Dir() string { return s.options.StoreDir }

// Cluster is a number of servers that replicate.
type Cluster []*Server

// NewCluster starts a cluster and waits until it has a leader.
func NewCluster(t testing.TB, n int) Cluster {
	t.Helper()
	routes := make([]*url.URL, n)
	ports := make([]int, n)
	for i := range n {
		ports[i] = freePort(t)
		routes[i] = &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", ports[i])}
	}
	c := make(Cluster, n)
	for i := range n {
		c[i] = New(t, func(o *server.Options) {
			o.ServerName = fmt.Sprintf("s%d", i)
			o.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[i]}
			o.Routes = routes
		})
	}
	c.WaitReady(t)
	return c
}

// WaitReady waits until a leader knows all servers that run.
func (c Cluster) WaitReady(t testing.TB) {
	t.Helper()
	running := 0
	for _, s := range c {
		if s.Running() {
			running++
		}
	}
	for start := time.Now(); time.Since(start) < wait; time.Sleep(20 * time.Millisecond) {
		for _, s := range c {
			if s.Running() && s.JetStreamIsLeader() && len(s.JetStreamClusterPeers()) >= running {
				return
			}
		}
	}
	t.Fatal("the NATS servers have no leader")
}

// URL returns the addresses of all servers.
func (c Cluster) URL() string {
	all := make([]string, len(c))
	for i, s := range c {
		all[i] = s.URL()
	}
	return strings.Join(all, ",")
}

// freePort returns a port that nothing listens on. It is the server's for all its starts.
func freePort(t testing.TB) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

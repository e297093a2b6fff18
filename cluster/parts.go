//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	members    = 3 // NATS servers, and Ticklane servers
	clientPort = "4222"
	statusPort = "8222"
	nodePort   = "3000"
	leaseKey   = "writer"
	storeBytes = 128 << 20 // of the file system of a NATS server's store
)

// part is a process of the cluster on a separate host.
type part struct {
	*process
	host
	store string // of a NATS server: a separate file system
}

// parts are the processes of the cluster.
type parts struct {
	nats, nodes [members]*part
	urls        string // of the NATS servers
	prefix      string // bus.nats.stream
	haproxy     *process
	public      string // HAProxy's address

	conn *nats.Conn
	js   jetstream.JetStream
}

// settings are the paths and settings with which the parts are created.
type settings struct {
	dir, root        string // for logs and stores; the module
	binary           string // ticklane
	natsServer       string
	rate             float64
	heartbeat, drain time.Duration
}

// start creates the networks and starts all parts.
func (p *parts) start(ctx context.Context, s settings, say func(string, ...any)) error {
	if err := createNetworks(ctx); err != nil {
		return err
	}
	var urls []string
	for k := range p.nats {
		x, err := newNATS(ctx, s, k)
		if err != nil {
			return err
		}
		p.nats[k] = x
		urls = append(urls, "nats://"+x.address(back)+":"+clientPort)
		if err := x.start(); err != nil {
			return err
		}
	}
	say("NATS: waiting for a leader")
	p.urls = strings.Join(urls, ",")
	if err := p.connect(ctx, p.urls); err != nil {
		return err
	}
	for k := range p.nodes {
		x := &part{host: host{name: fmt.Sprintf("node-%d", k+1), number: 21 + k, networks: []string{front, back}}}
		if err := x.create(ctx); err != nil {
			return err
		}
		p.nodes[k] = x
	}
	say("Ticklane: waiting until all are ready")
	if err := p.serve(ctx, s, "market", fmt.Sprintf("--market.rate=%g", s.rate), "--market.warmup=0s"); err != nil {
		return err
	}
	return p.startHAProxy(s)
}

// serve starts all nodes on a stream, with the settings of its feed, and waits until they are ready.
func (p *parts) serve(ctx context.Context, s settings, prefix string, feed ...string) error {
	p.prefix = prefix
	for _, x := range p.nodes {
		x.process = newProcess(s.dir, x.name(), &x.host, append([]string{s.binary, "serve",
			"--server.addr=" + x.address(front) + ":" + nodePort, "--server.hosts=" + addressOn(front, 1), "--server.trusted_proxies=" + addressOn(front, 1),
			"--server.drain_delay=" + s.drain.String(), "--stream.heartbeat=" + s.heartbeat.String(),
			"--limits.per_address=10000", "--limits.requests=10000", "--limits.accept_rate=10000",
			"--bus.kind=nats", "--bus.nats.url=" + p.urls, "--bus.nats.stream=" + prefix, fmt.Sprintf("--bus.nats.replicas=%d", members),
			"--bus.nats.max_bytes=16777216", "--bus.node=" + x.name(), "--data.dir=" + filepath.Join(s.dir, x.name(), prefix)}, feed...)...)
		if err := x.start(); err != nil {
			return err
		}
	}
	for _, x := range p.nodes {
		if err := until(ctx, 60*time.Second, x.ready); err != nil {
			return fmt.Errorf("%s isn't ready: %w; its log is %s", x.name(), err, x.logTo)
		}
	}
	return nil
}

// serveLines ends all nodes and starts them with a feed of lines, on another stream.
func (p *parts) serveLines(ctx context.Context, s settings) error {
	for _, x := range p.nodes {
		if err := x.terminate(ctx, 20*time.Second); err != nil {
			return err
		}
	}
	return p.serve(ctx, s, "lines", "--feed.source=ingest", "--feed.ingest.token="+ingestToken)
}

// streamName returns the name of the stream of ticks.
func (p *parts) streamName() string { return p.prefix + "_ticks" }

func (x *part) name() string { return x.host.name }

// newNATS writes the configuration of a NATS server.
func newNATS(ctx context.Context, s settings, k int) (*part, error) {
	x := &part{host: host{name: fmt.Sprintf("nats-%d", k+1), number: 11 + k, networks: []string{back, routes}}}
	x.store = filepath.Join(s.dir, x.host.name)
	if err := os.MkdirAll(x.store, 0o755); err != nil {
		return nil, err
	}
	if err := syscall.Mount("store", x.store, "tmpfs", 0, fmt.Sprintf("size=%d", storeBytes)); err != nil {
		return nil, fmt.Errorf("mount %s: %w", x.store, err)
	}
	var routed []string
	for other := range members {
		routed = append(routed, fmt.Sprintf("nats://%s:6222", addressOn(routes, 11+other)))
	}
	file := filepath.Join(s.dir, x.host.name+".conf")
	text := fmt.Sprintf(`server_name: %s
listen: "%s:%s"
http: "%s:%s"
jetstream: { store_dir: %q, max_mem: 64MB, max_file: %d }
cluster: { name: cluster, listen: "%s:6222", no_advertise: true, routes: ["%s"] }
`, x.host.name, x.address(back), clientPort, x.address(back), statusPort, x.store, storeBytes*3/4, x.address(routes), strings.Join(routed, `", "`))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return nil, err
	}
	x.process = newProcess(s.dir, x.host.name, &x.host, s.natsServer, "-c", file)
	return x, x.create(ctx)
}

// startHAProxy starts HAProxy with the file in deploy/proxies, apart from addresses and TLS.
func (p *parts) startHAProxy(s settings) error {
	shipped, err := os.ReadFile(filepath.Join(s.root, "deploy/proxies/haproxy-cluster.cfg"))
	if err != nil {
		return err
	}
	p.public = addressOn(front, 1) + ":8080"
	pairs := []string{":443 ssl crt /etc/ssl/quotes/both.pem alpn h2,http/1.1", p.public, "X-Forwarded-Proto https", "X-Forwarded-Proto http", "maxconn 50000", "maxconn 2000"}
	for k, x := range p.nodes {
		pairs = append(pairs, fmt.Sprintf("10.0.0.2%d:3000", k+1), x.address(front)+":"+nodePort)
	}
	text := string(shipped)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			return fmt.Errorf("haproxy-cluster.cfg has no %q", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	file := filepath.Join(s.dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	p.haproxy = newProcess(s.dir, "haproxy", nil, "haproxy", "-db", "-f", file)
	return p.haproxy.start()
}

// connect connects to NATS and waits until JetStream works.
func (p *parts) connect(ctx context.Context, urls string) (err error) {
	err = until(ctx, 30*time.Second, func(ctx context.Context) error {
		if p.conn == nil {
			c, err := nats.Connect(urls, nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond), nats.PingInterval(time.Second), nats.MaxPingsOutstanding(2))
			if err != nil {
				return err
			}
			p.conn = c
		}
		if p.js, err = jetstream.New(p.conn); err != nil {
			return err
		}
		if _, err = p.js.AccountInfo(ctx); err != nil {
			return err
		}
		for _, x := range p.nats {
			if err := x.healthy(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("NATS isn't ready: %w", err)
	}
	return nil
}

// get returns an error unless an address answers with 200.
func get(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}

// ready returns an error unless a Ticklane server is ready.
func (x *part) ready(ctx context.Context) error {
	if !x.running() {
		return errors.New("it has ended")
	}
	return get(ctx, "http://"+x.address(front)+":"+nodePort+"/readyz")
}

// healthy returns an error unless a NATS server has all that its streams have.
func (x *part) healthy(ctx context.Context) error {
	return get(ctx, "http://"+x.address(back)+":"+statusPort+"/healthz")
}

// writer returns the number of the node that has the lease.
func (p *parts) writer(ctx context.Context) (k int, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	kv, err := p.js.KeyValue(ctx, p.prefix+"_lease")
	if err != nil {
		return 0, err
	}
	e, err := kv.Get(ctx, leaseKey)
	if err != nil {
		return 0, err
	}
	var holder struct{ Name string }
	if err := json.Unmarshal(e.Value(), &holder); err != nil {
		return 0, err
	}
	for k, x := range p.nodes {
		if x.name() == holder.Name {
			return k, nil
		}
	}
	return 0, fmt.Errorf("the lease is that of %q", holder.Name)
}

// leader returns the number of the NATS server that leads the stream.
func (p *parts) leader(ctx context.Context) (k int, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	s, err := p.js.Stream(ctx, p.streamName())
	if err != nil {
		return 0, err
	}
	name := s.CachedInfo().Cluster.Leader
	for k, x := range p.nats {
		if x.name() == name {
			return k, nil
		}
	}
	return 0, fmt.Errorf("stream %s has no leader", p.streamName())
}

// until calls check until it returns nil, for at most limit. The error is the newest of check.
func until(ctx context.Context, limit time.Duration, check func(ctx context.Context) error) error {
	end := time.Now().Add(limit)
	for {
		err := check(ctx)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(end):
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

package share

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/auth"
)

// quick are times for tests. A busy machine must not make a node look dead: a test of that sets a shorter time.
var quick = timing{
	heartbeat: 50 * time.Millisecond, dead: 20 * time.Second, refresh: 30 * time.Second, flush: 10 * time.Millisecond,
	check: 100 * time.Millisecond, retry: 20 * time.Millisecond, wait: 2 * time.Second,
}

// files are the settings of a cluster's nodes.
type files struct {
	tokens, key string
	secrets     map[string]string // of the tokens, by their names
}

// newFiles returns a token file with the tokens ann and bob, which may have two streams, and root, and a session key.
func newFiles(t testing.TB) files {
	t.Helper()
	f := files{filepath.Join(t.TempDir(), "tokens.yaml"), filepath.Join(t.TempDir(), "key"), map[string]string{}}
	limited, err := auth.ParseRights([]byte(`[{"read":["S0","S1"],"streams":2}]`))
	if err != nil {
		t.Fatal(err)
	}
	admin, err := auth.ParseRights([]byte(`[{"may":["admin"]}]`))
	if err != nil {
		t.Fatal(err)
	}
	err = auth.ChangeTokens(f.tokens, func(all []auth.Token) ([]auth.Token, error) {
		for name, rights := range map[string]auth.Rights{"ann": limited, "bob": limited, "root": admin} {
			token, secret := auth.NewToken(name, rights, time.Now().Add(time.Hour))
			f.secrets[name], all = secret, append(all, token)
		}
		return all, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, f.key, strings.Repeat("k", 40))
	return f
}

// node is a node with its connection.
type node struct {
	*Share
	t       testing.TB
	service *auth.Service
	conn    *nats.Conn
	ended   chan struct{} // closed by Revocations.OnChange's function once ann's token is revoked
	stop    func()
}

// settings are what a test changes of a node.
type settings struct {
	timing      timing
	revocations string // file
	key         string // file; default that of the files
	logger      *slog.Logger
	replicas    int // default 1
}

// start starts a node with a connection to a URL.
func (f files) start(t testing.TB, url string, set settings) *node {
	t.Helper()
	n := &node{t: t, ended: make(chan struct{})}
	if set.timing == (timing{}) {
		set.timing = quick
	}
	if set.key == "" {
		set.key = f.key
	}
	if set.logger == nil {
		set.logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	var err error
	if n.service, err = auth.New(auth.Options{Mode: auth.ModeToken, TokenFile: f.tokens, SessionKey: set.key, Revocations: set.revocations, Logger: set.logger}); err != nil {
		t.Fatal(err)
	}
	n.conn, err = nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond), nats.ReconnectJitter(0, 0), nats.ReconnectBufSize(-1),
		nats.RetryOnFailedConnect(true), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(n.conn)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n.Share, err = Open(ctx, Options{
		Conn: n.conn, JS: js, Prefix: "test", Replicas: max(1, set.replicas), Node: newID(), Service: n.service, Logger: set.logger, timing: set.timing,
	})
	if err != nil {
		t.Fatal(err)
	}
	ann, once := n.principal(f.secrets["ann"]), sync.Once{}
	n.service.Revocations.OnChange(func() {
		if ann != nil && n.service.Revocations.Revoked(ann) {
			once.Do(func() { close(n.ended) })
		}
	})
	var running sync.WaitGroup
	running.Go(func() { n.service.Run(ctx) })
	running.Go(func() { n.Run(ctx) })
	n.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		n.conn.Close()
	})
	t.Cleanup(n.stop)
	return n
}

// principal returns the principal of a token, nil if it isn't valid.
func (n *node) principal(secret string) *auth.Principal {
	p, err := n.service.Verifier.Verify(secret)
	if err != nil {
		return nil
	}
	return p
}

// revoked reports whether a token was revoked on the node.
func (n *node) revoked(secret string) bool { return n.principal(secret) == nil }

// write writes a file.
func write(t testing.TB, name, text string) {
	t.Helper()
	if err := writeFile(name, text); err != nil {
		t.Fatal(err)
	}
}

package natserr

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestNoMajority: the last server of three can't store anything, and the error says that most of the servers are missing. It may still answer
// reads.
func TestNoMajority(t *testing.T) {
	c := natstest.NewCluster(t, 3)
	js := natstest.JetStream(t, c[0].URL())
	create := func(name string) (jetstream.KeyValue, error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: name, Replicas: 3})
	}
	var kv jetstream.KeyValue
	testkit.Eventually(t, func() bool {
		var err error
		kv, err = create("b")
		return err == nil
	}, "a bucket")
	c[1].Stop()
	c[2].Stop()
	for what, try := range map[string]func(context.Context) error{
		"put":    func(ctx context.Context) error { _, err := kv.PutString(ctx, "k", "v"); return err },
		"create": func(context.Context) error { _, err := create("c"); return err },
	} {
		testkit.Eventually(t, func() bool { // the server notices it after a while
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			err := try(ctx)
			again := Explain(Explain(err))
			return errors.Is(again, ErrAway) && again.Error() == ErrAway.Error()+": "+err.Error() && Text(again) == ErrAway.Error()
		}, what)
	}
	for _, err := range []error{nil, jetstream.ErrBucketNotFound, fmt.Errorf("x: %w", jetstream.ErrKeyNotFound), context.Canceled} {
		if got := Explain(err); !errors.Is(got, err) || errors.Is(got, ErrAway) {
			t.Errorf("%v is explained as %v", err, got)
		}
	}
}

// TestDisconnected: what is published without a connection fails with a text that says so.
func TestDisconnected(t *testing.T) {
	proxy := natstest.NewProxy(t, natstest.New(t, nil))
	c, err := nats.Connect(proxy.URL(), nats.ReconnectBufSize(-1), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	proxy.Refuse(true)
	testkit.Eventually(t, func() bool { return !c.IsConnected() }, "disconnected")
	if err := Explain(fmt.Errorf("x: %w", c.Publish("x", nil))); !errors.Is(err, ErrDisconnected) {
		t.Error(err)
	}
}

// TestTextOfConnections: attempts to connect to a server that sends nothing fail alike.
func TestTextOfConnections(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	try := func() error {
		_, err := nats.Connect("nats://"+silent.Addr().String(), nats.Timeout(100*time.Millisecond))
		return err
	}
	a, b := try(), try()
	if a == nil || b == nil || a.Error() == b.Error() || Text(a) != Text(b) {
		t.Errorf("%v and %v: %q and %q", a, b, Text(a), Text(b))
	}
}

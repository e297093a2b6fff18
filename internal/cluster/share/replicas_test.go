package share

import (
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/auth"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

// TestTooLittleMemory: the error says what to change at the NATS server.
func TestTooLittleMemory(t *testing.T) {
	t.Parallel()
	conn, err := nats.Connect(natstest.New(t, func(o *server.Options) { o.JetStreamMaxMemory = 1 << 20 }).URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	err = ticketBucket(&Options{Conn: conn, JS: js, Prefix: "test", Replicas: 1, timing: quick}).open(t.Context())
	if err == nil || !strings.Contains(err.Error(), "max_memory_store") {
		t.Errorf("error %v", err)
	}
}

// TestReplicas: with three NATS servers a node finds a ticket at once that another has just issued, whichever servers they are connected
// to, and one server may fail.
func TestReplicas(t *testing.T) {
	t.Parallel()
	f, c := newFiles(t), natstest.NewCluster(t, 3)
	set := settings{replicas: 3}
	a, b := f.start(t, c[0].URL(), set), f.start(t, c[1].URL(), set)
	redeemed := func() error {
		ticket := f.issue(a)
		if _, err := b.service.Tickets.Redeem(ticket, page); err != nil {
			return err
		}
		if _, err := a.service.Tickets.Redeem(ticket, page); !errors.Is(err, auth.ErrInvalid) {
			t.Fatalf("a second time: %v", err)
		}
		return nil
	}
	for range 100 {
		if err := redeemed(); err != nil {
			t.Fatal(err)
		}
	}
	c[2].Stop()
	testkit.Eventually(t, func() bool { // it may have been the leader of a bucket
		return a.service.Revocations.Add(auth.Revocation{TokenID: "ann"}) == nil
	}, "revoked while a server is away")
	testkit.Eventually(t, func() bool { return b.revoked(f.secrets["ann"]) })
}

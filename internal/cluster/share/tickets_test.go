package share

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ticklane/internal/auth"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

const page = "https://a.example"

// issue returns a ticket of ann's for a page.
func (f files) issue(n *node) string {
	n.t.Helper()
	text, expires, err := n.service.Tickets.Issue(n.principal(f.secrets["ann"]), page)
	if err != nil || time.Until(expires) > auth.TicketTime {
		n.t.Fatalf("valid until %s: %v", expires, err)
	}
	return text
}

func TestTicketOnAnotherNode(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	a, b := f.start(t, s.URL(), settings{}), f.start(t, s.URL(), settings{})
	p, err := b.service.Tickets.Redeem(f.issue(a), page)
	if err != nil || p.Subject != "ann" || p.TokenID != "ann" || p.Rights.Streams() != 2 || !p.Rights.CanRead("S0", "") || p.Rights.ReadsAll() {
		t.Fatalf("%+v, %v", p, err)
	}
	// The token that it was issued for is still known, so that its streams end with it.
	if b.service.Revocations.Check(p) != nil {
		t.Error("it isn't valid")
	}
	ticket := f.issue(b)
	if _, err := a.service.Tickets.Redeem(ticket, "https://b.example"); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("a page of another origin got %v", err)
	}
	if _, err := a.service.Tickets.Redeem(ticket, page); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("after another page had it: %v", err)
	}
	ticket = f.issue(a)
	if err := a.service.Revocations.Add(auth.Revocation{TokenID: "ann"}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, func() bool { return b.revoked(f.secrets["ann"]) })
	if _, err := b.service.Tickets.Redeem(ticket, page); !errors.Is(err, auth.ErrRevoked) {
		t.Errorf("a ticket of a revoked token: %v", err)
	}
}

func TestTicketIsRedeemedOnce(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	nodes := []*node{f.start(t, s.URL(), settings{}), f.start(t, s.URL(), settings{}), f.start(t, s.URL(), settings{})}
	for round := range 50 {
		ticket := f.issue(nodes[round%3])
		var won atomic.Int32
		var all sync.WaitGroup
		begin := make(chan struct{})
		for i := range 6 {
			all.Go(func() {
				<-begin
				_, err := nodes[i%3].service.Tickets.Redeem(ticket, page)
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, auth.ErrInvalid) {
					t.Error(err)
				}
			})
		}
		close(begin)
		all.Wait()
		if won.Load() != 1 {
			t.Fatalf("round %d: %d requests have got in with one ticket", round, won.Load())
		}
	}
}

func TestTicketsWithoutNATS(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	proxy := natstest.NewProxy(t, s)
	a, b := f.start(t, proxy.URL(), settings{}), f.start(t, s.URL(), settings{})
	ticket := f.issue(b)
	proxy.Refuse(true)
	testkit.Eventually(t, func() bool { return !a.conn.IsConnected() })
	if _, err := a.service.Tickets.Redeem(ticket, page); !errors.Is(err, auth.ErrStoreAway) {
		t.Errorf("redeem: %v", err)
	}
	for range 200 { // what isn't issued doesn't count for limits
		if _, _, err := a.service.Tickets.Issue(a.principal(f.secrets["ann"]), page); !errors.Is(err, auth.ErrStoreAway) {
			t.Fatalf("issue: %v", err)
		}
	}
	proxy.Refuse(false)
	testkit.Eventually(t, func() bool { return a.conn.IsConnected() })
	if _, err := a.service.Tickets.Redeem(ticket, page); err != nil { // the attempt before hasn't spent it
		t.Error(err)
	}
	// The bucket is in memory: a server that starts again has lost it, and its tickets.
	ticket = f.issue(a)
	s.Stop()
	s.Start()
	testkit.Eventually(t, func() bool { return a.conn.IsConnected() && b.conn.IsConnected() })
	if _, err := b.service.Tickets.Redeem(ticket, page); err == nil {
		t.Error("a ticket outlives the store")
	}
	testkit.Eventually(t, func() bool {
		ticket, _, err := a.service.Tickets.Issue(a.principal(f.secrets["ann"]), page)
		if err != nil {
			return false
		}
		_, err = b.service.Tickets.Redeem(ticket, page)
		return err == nil
	}, "tickets again")
}

// keyOf returns the key of a ticket in the bucket.
func keyOf(ticket string) string {
	hash := sha256.Sum256([]byte(ticket))
	return hex.EncodeToString(hash[:])
}

func TestForgedTickets(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	a := f.start(t, s.URL(), settings{})
	ctx, store := context.Background(), &tickets{ticketBucket(a.revocations.o)}
	if err := store.bucket.open(ctx); err != nil {
		t.Fatal(err)
	}
	// Tickets that no node has signed aren't looked up, so they cost NATS nothing.
	forged := []string{"tk_", "tk_x", "tk_x.y", "tk_" + strings.Repeat("a", 5000), f.issue(a) + "x"}
	before := a.conn.Stats().OutMsgs
	for _, text := range forged {
		if _, err := a.service.Tickets.Redeem(text, page); !errors.Is(err, auth.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if sent := a.conn.Stats().OutMsgs - before; sent > 4 { // heartbeats
		t.Errorf("%d messages were sent", sent)
	}
	// A value that another client of NATS has written, or moved to another key, is refused.
	for range 2 {
		ticket, other := f.issue(a), f.issue(a)
		key, from := keyOf(ticket), keyOf(other)
		value, _, err := store.bucket.get(ctx, from)
		if err != nil || strings.Contains(string(value), "ann") {
			t.Fatalf("the bucket has %q: %v", value, err)
		}
		_, revision, err := store.bucket.get(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.bucket.put(ctx, key, value, 0, revision); err != nil {
			t.Fatal(err)
		}
		if _, err := a.service.Tickets.Redeem(ticket, page); !errors.Is(err, auth.ErrInvalid) {
			t.Errorf("a moved value: %v", err)
		}
	}
	ticket := f.issue(a)
	_, revision, err := store.bucket.get(ctx, keyOf(ticket))
	if err == nil {
		err = store.bucket.put(ctx, keyOf(ticket), []byte(`{"sub":"root","src":"file"}`), 0, revision)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.service.Tickets.Redeem(ticket, page); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("a forged value: %v", err)
	}
	// A node with another session key neither accepts nor makes tickets for the others.
	other := filepath.Join(t.TempDir(), "key")
	write(t, other, strings.Repeat("o", 40))
	if _, err := f.start(t, s.URL(), settings{key: other}).service.Tickets.Redeem(f.issue(a), page); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("with another key: %v", err)
	}
}

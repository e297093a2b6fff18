package share

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ticklane/internal/auth"
	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

func writeFile(name, text string) error { return os.WriteFile(name, []byte(text), 0o600) }

// freshRevokes reports whether ann's token is revoked on a node that has just started.
func (f files) freshRevokes(t *testing.T, s *natstest.Server) bool {
	n := f.start(t, s.URL(), settings{})
	defer n.stop()
	return n.revoked(f.secrets["ann"])
}

func TestRevocationReachesAllNodes(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	a, b, c := f.start(t, s.URL(), settings{}), f.start(t, s.URL(), settings{}), f.start(t, s.URL(), settings{})
	if err := a.service.Revocations.Add(auth.Revocation{TokenID: "ann"}); err != nil {
		t.Fatal(err)
	}
	for _, n := range []*node{b, c} {
		select { // the function that ends streams was called
		case <-n.ended:
		case <-time.After(30 * time.Second):
			t.Fatal("ann's streams go on")
		}
		if n.revoked(f.secrets["bob"]) {
			t.Error("bob's token was revoked, too")
		}
	}
	// A node that starts has it before Open returns.
	if !f.start(t, s.URL(), settings{}).revoked(f.secrets["ann"]) {
		t.Error("a new node accepts ann's token")
	}
}

func TestRevocationsOfNodesAreJoined(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	a, b := f.start(t, s.URL(), settings{}), f.start(t, s.URL(), settings{})
	now := time.Now().UTC()
	short := auth.Revocation{Subject: "ann", Before: now.Add(time.Hour), Expires: now.Add(2 * time.Hour)}
	long := auth.Revocation{Subject: "ann", Before: now.Add(-time.Hour), Expires: now.Add(9 * time.Hour)}
	done := make(chan error, 2)
	go func() { done <- a.service.Revocations.Add(short) }()
	go func() { done <- b.service.Revocations.Add(long) }()
	if err := errors.Join(<-done, <-done); err != nil {
		t.Fatal(err)
	}
	want := short.Union(long)
	for _, n := range []*node{a, b, f.start(t, s.URL(), settings{})} {
		testkit.Eventually(t, func() bool {
			all := n.service.Revocations.Shared()
			return len(all) == 1 && all[0].Before.Equal(want.Before) && all[0].Expires.Equal(want.Expires)
		}, "one revocation for all")
	}
}

func TestRevocationWithoutNATS(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	proxyA, proxyB := natstest.NewProxy(t, s), natstest.NewProxy(t, s)
	file := filepath.Join(t.TempDir(), "revocations")
	short := quick
	short.wait = 300 * time.Millisecond // for answers that are lost with the connection
	a, b := f.start(t, proxyA.URL(), settings{revocations: file, timing: short}), f.start(t, proxyB.URL(), settings{timing: short})
	proxyA.Refuse(true)
	proxyB.Refuse(true)
	testkit.Eventually(t, func() bool { return !a.conn.IsConnected() && !b.conn.IsConnected() })
	err := a.service.Revocations.Add(auth.Revocation{TokenID: "ann", Reason: "lost"})
	if !errors.Is(err, auth.ErrNotShared) {
		t.Fatalf("the answer is %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), `"lost"`) {
		t.Errorf("the file has %q: %v", text, err)
	}
	if !a.revoked(f.secrets["ann"]) || b.revoked(f.secrets["ann"]) {
		t.Error("want it in force on one node only")
	}
	if n := a.PendingRevocations(); n != 1 {
		t.Errorf("%d revocations are pending", n)
	}
	proxyA.Refuse(false) // it is stored without a further request
	testkit.Eventually(t, func() bool { return f.freshRevokes(t, s) && a.PendingRevocations() == 0 }, "stored")
	proxyB.Refuse(false) // the node that was cut off gets it
	testkit.Eventually(t, func() bool { return b.revoked(f.secrets["ann"]) }, "received after the cut")
}

// TestEndWithoutNATS: a node that ends while revocations wait for NATS logs that the others don't have them.
func TestEndWithoutNATS(t *testing.T) {
	t.Parallel()
	f, proxy := newFiles(t), natstest.NewProxy(t, natstest.New(t, nil))
	var log testkit.Log
	short := quick
	short.wait = 300 * time.Millisecond
	a := f.start(t, proxy.URL(), settings{timing: short, logger: slog.New(slog.NewTextHandler(&log, nil))})
	proxy.Refuse(true)
	testkit.Eventually(t, func() bool { return !a.conn.IsConnected() })
	if err := a.service.Revocations.Add(auth.Revocation{TokenID: "ann"}); !errors.Is(err, auth.ErrNotShared) {
		t.Fatalf("the answer is %v", err)
	}
	testkit.Eventually(t, func() bool { return log.Count("aren't stored for the other nodes yet") == 1 }, "the log")
	a.stop()
	if log.Count("revocations stored") > 0 || log.Count("revoke again") != 1 {
		t.Errorf("logged:\n%s", log.String())
	}
}

func TestRevocationsOfFilesAreShared(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	other := f // a node whose token file isn't shared
	other.tokens = filepath.Join(t.TempDir(), "tokens.yaml")
	text, err := os.ReadFile(f.tokens)
	if err != nil {
		t.Fatal(err)
	}
	write(t, other.tokens, string(text))
	file := filepath.Join(t.TempDir(), "revocations")
	write(t, file, `{"jti":"old"}`+"\n")
	a, b := f.start(t, s.URL(), settings{revocations: file}), other.start(t, s.URL(), settings{})
	has := func(n *node, target auth.Revocation) func() bool {
		return func() bool {
			for _, one := range n.service.Revocations.Shared() {
				if one.Target() == target.Target() {
					return true
				}
			}
			return false
		}
	}
	testkit.Eventually(t, has(b, auth.Revocation{TokenID: "old"}), "a line that was there at the start")
	write(t, file, `{"jti":"old"}`+"\n"+`{"jti":"new"}`+"\n")
	testkit.Eventually(t, has(b, auth.Revocation{TokenID: "new"}), "a new line")
	write(t, file, "\n")
	err = auth.ChangeTokens(f.tokens, func(all []auth.Token) ([]auth.Token, error) { // ticklane token revoke ann
		for i := range all {
			if all[i].Name == "ann" {
				all[i].Revoked = time.Now()
			}
		}
		return all, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, func() bool { return a.revoked(f.secrets["ann"]) && b.revoked(f.secrets["ann"]) }, "a token revoked in one file")
	if b.revoked(f.secrets["bob"]) {
		t.Error("bob's token was revoked, too")
	}
	if !has(a, auth.Revocation{TokenID: "old"})() {
		t.Error("a revocation that all nodes have was lifted by the file of one")
	}
}

func TestRevocationsOutliveNATS(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	set := settings{timing: quick}
	set.timing.check = time.Second // the server must have deleted the bucket before it is made again
	a := f.start(t, s.URL(), set)
	if err := a.service.Revocations.Add(auth.Revocation{TokenID: "ann", Expires: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	s.Start()
	if !f.start(t, s.URL(), settings{}).revoked(f.secrets["ann"]) {
		t.Error("NATS has lost it")
	}
	// A bucket that was deleted gets it again.
	ctx := context.Background()
	testkit.Eventually(t, func() bool { return a.revocations.o.JS.DeleteStream(ctx, a.revocations.bucket.config.Name) == nil }, "connected and deleted")
	testkit.Eventually(t, func() bool {
		_, _, err := a.revocations.bucket.get(ctx, (&auth.Revocation{TokenID: "ann"}).Target())
		return err == nil && f.freshRevokes(t, s)
	}, "stored in a new bucket")
	// So does one whose entries were removed, or replaced by weaker ones, by another client of NATS.
	key := (&auth.Revocation{TokenID: "ann"}).Target()
	for _, value := range []string{"", "nonsense", `{"jti":"ann","expires":"2020-01-01T00:00:00Z"}`} {
		if _, err := a.revocations.o.JS.Publish(ctx, a.revocations.bucket.subject(key), []byte(value)); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, func() bool {
			text, _, err := a.revocations.bucket.get(ctx, key)
			one, invalid := parseRevocation(key, text)
			return err == nil && invalid == nil && one.Expires.After(time.Now())
		}, "repaired after", value)
	}
}

func TestRevocationsExpireWithTheirTokens(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	a := f.start(t, s.URL(), settings{})
	for _, one := range []auth.Revocation{{TokenID: "x", Expires: time.Now().Add(time.Hour)}, {TokenID: "y"}} {
		if err := a.service.Revocations.Add(one); err != nil {
			t.Fatal(err)
		}
	}
	ttl := func(id string) string {
		m, err := a.revocations.bucket.stream.Load().GetLastMsgForSubject(context.Background(), a.revocations.bucket.subject((&auth.Revocation{TokenID: id}).Target()))
		if err != nil {
			t.Fatal(err)
		}
		return m.Header.Get("Nats-TTL")
	}
	if d, err := time.ParseDuration(ttl("x")); err != nil || d > time.Hour+auth.RevocationMargin+time.Second || d < time.Hour {
		t.Errorf("it is kept for %s: %v", d, err)
	}
	if ttl("y") != "" {
		t.Error("the revocation of a token without end expires")
	}
	// What a node keeps to compare expires, too.
	testkit.Eventually(t, func() bool { // it may be reading the bucket
		a.revocations.removeExpired(time.Now().Add(2 * time.Hour))
		a.revocations.mu.Lock()
		defer a.revocations.mu.Unlock()
		return len(a.revocations.stored) == 1
	}, "the expired one is removed")
}

// TestLostBucket: nodes that run on make a deleted bucket again, and fill one that was purged.
func TestLostBucket(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	a := f.start(t, s.URL(), settings{})
	if err := a.service.Revocations.Add(auth.Revocation{TokenID: "ann"}); err != nil {
		t.Fatal(err)
	}
	a.Streams.Set("ann", 1)
	ctx := t.Context()
	for _, lose := range []func(*bucket) error{
		func(b *bucket) error { return b.stream.Load().Purge(ctx) },
		func(b *bucket) error { return b.o.JS.DeleteStream(ctx, b.config.Name) },
	} {
		for b, key := range map[*bucket]string{
			a.revocations.bucket: (&auth.Revocation{TokenID: "ann"}).Target(), a.Streams.bucket: countKey(a.Streams.id, subjectOf("ann")),
		} {
			stored := func() bool {
				value, _, err := b.get(ctx, key)
				return err == nil && value != nil
			}
			testkit.Eventually(t, stored, b.name)
			if err := lose(b); err != nil {
				t.Fatal(err)
			}
			testkit.Eventually(t, stored, b.name, "has its entry again")
		}
	}
}

func TestForgedRevocations(t *testing.T) {
	t.Parallel()
	f, s := newFiles(t), natstest.New(t, nil)
	a := f.start(t, s.URL(), settings{})
	ctx, bucket := context.Background(), a.revocations.bucket
	valid := auth.Revocation{TokenID: "bob"}
	for key, value := range map[string]string{
		"x": `{"jti":"ann"}`, valid.Target(): `{"jti":"ann"}`, strings.Repeat("k", 3000): `{"jti":"ann"}`,
		(&auth.Revocation{TokenID: "ann"}).Target(): `{"jti":"ann","JTI":"bob"}`, "y": "", "z": strings.Repeat("[", 7000),
	} {
		if _, err := a.revocations.o.JS.Publish(ctx, bucket.subject(key), []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.revocations.o.JS.Publish(ctx, bucket.subject("w"), bytes.Repeat([]byte("x"), 9<<10)); err == nil {
		t.Error("the bucket stores a value that no node writes")
	}
	if err := f.start(t, s.URL(), settings{}).service.Revocations.Add(valid); err != nil { // over the forged entry
		t.Fatal(err)
	}
	testkit.Eventually(t, func() bool { return a.revoked(f.secrets["bob"]) })
	if a.revoked(f.secrets["ann"]) {
		t.Error("a forged entry counts")
	}
}

func FuzzRevocationEntry(f *testing.F) {
	one := auth.Revocation{TokenID: "ann", Reason: "lost"}
	text, _ := json.Marshal(one)
	f.Add(one.Target(), text)
	f.Add("x", []byte(`{"subject":"a","before":"2027-01-31T12:00:00Z"}`))
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		one, err := parseRevocation(key, value)
		if err != nil {
			return
		}
		if one.Target() != key {
			t.Fatal("accepted under another key")
		}
		text, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := auth.ReadRevocation(text); err != nil && len(text) < 4<<10 || err == nil && again.Target() != key {
			t.Fatalf("%s becomes %s: %v", value, text, err)
		}
	})
}

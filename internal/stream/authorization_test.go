package stream

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ticklane/internal/auth"
	"ticklane/internal/quote"
	"ticklane/internal/wire"
)

// principal returns one who may read these topics until expires, which is zero for ever.
func principal(t testing.TB, expires time.Time, topics ...string) *auth.Principal {
	t.Helper()
	rights, err := auth.ParseRights([]byte(`[{"read":["` + strings.Join(topics, `","`) + `"]}]`))
	if err != nil {
		t.Fatal(err)
	}
	return &auth.Principal{Subject: "ana", TokenID: "1", Expires: expires, Rights: rights}
}

// subscribeAs opens a stream of topics, within what a principal may read.
func subscribeAs(t testing.TB, l *Log, p *auth.Principal, opt Options, topics ...string) *client {
	t.Helper()
	var err error
	if opt.Topics, err = p.Rights.Topics(l.Universe(), topics, 0); err != nil {
		t.Fatal(err)
	}
	opt.Principal = p
	return subscribe(t, l, opt)
}

func find(got []message, kind string) *message {
	for i := range got {
		if got[i].T == kind {
			return &got[i]
		}
	}
	return &message{}
}

func symbolsOf(got []message) (ticks, snapshots []string) {
	for _, m := range got {
		if m.T == "q" && !slices.Contains(ticks, m.S) {
			ticks = append(ticks, m.S)
		}
		for _, q := range m.Quotes {
			snapshots = append(snapshots, q.S)
		}
	}
	slices.Sort(ticks)
	slices.Sort(snapshots)
	return ticks, snapshots
}

// TestNarrowedStream: "*" is what may be read, in ticks and snapshots, and hello and subscription say so.
func TestNarrowedStream(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, mode := range []Mode{ModeAll, ModeLatest} {
			f := newFixture(t, 400)
			l := f.log(t, Config{Size: 1024})
			f.play(l, 200)
			c := subscribeAs(t, l, principal(t, time.Time{}, "S1", "S3"), Options{Format: format, Mode: mode}, "*")
			got := c.take(noon)
			if hello := find(got, "hello"); !strings.Contains(hello.text, `"narrowed":true`) || !slices.Equal(hello.Topics, []string{"*"}) || strings.Contains(hello.text, "expires") {
				t.Errorf("hello %s", hello.text)
			}
			if _, snapshot := symbolsOf(got); !slices.Equal(snapshot, []string{"S1", "S3"}) {
				t.Errorf("snapshot of %v", snapshot)
			}
			f.play(l, 400)
			if ticks, _ := symbolsOf(c.take(noon)); !slices.Equal(ticks, []string{"S1", "S3"}) {
				t.Errorf("ticks of %v", ticks)
			}
			narrow := subscribeAs(t, l, principal(t, time.Time{}, "S1", "S3"), Options{Format: format, Mode: mode}, "S1")
			if got := narrow.take(noon); strings.Contains(got[0].text, "narrowed") {
				t.Errorf("hello without *: %s", got[0].text)
			}
			if err := narrow.EnqueueCommand(command("subscribe", 5, "*"), noon); err != nil {
				t.Fatal(err)
			}
			got = narrow.take(noon)
			if m := find(got, "subscription"); !strings.Contains(m.text, `"narrowed":true`) || !slices.Equal(m.Topics, []string{"S1", "*"}) {
				t.Errorf("subscription %s", m.text)
			}
			if _, snapshot := symbolsOf(got); !slices.Contains(snapshot, "S3") || slices.Contains(snapshot, "S5") {
				t.Errorf("snapshot after * of %v", snapshot)
			}
		}
	})
}

// TestForbiddenCommands: a command with a topic outside of the rights changes nothing, and unknown topics look the same.
func TestForbiddenCommands(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		f := newFixture(t, 400)
		l := f.log(t, Config{Size: 1024})
		c := subscribeAs(t, l, principal(t, time.Time{}, "S1", "S3"), Options{Format: format}, "S1")
		c.take(noon)
		answer := func(action, topic string) string {
			if err := c.EnqueueCommand(command(action, 5, "S3", topic), noon); err != nil {
				t.Fatal(err)
			}
			return strings.ReplaceAll(find(c.take(noon), "error").text, topic, "…")
		}
		for _, action := range []string{"subscribe", "unsubscribe"} {
			known, unknown := answer(action, "S2"), answer(action, "NOPE")
			if !strings.Contains(known, `"code":"forbidden_topic"`) || known != unknown {
				t.Errorf("%s: %s of a known topic, %s of an unknown one", action, known, unknown)
			}
			if sector := answer(action, "sector:odd"); sector != known {
				t.Errorf("%s of a sector: %s", action, sector)
			}
		}
		f.play(l, 400)
		if ticks, _ := symbolsOf(c.take(noon)); !slices.Equal(ticks, []string{"S1"}) {
			t.Errorf("ticks of %v", ticks)
		}
	})
}

// TestExpiry: the hello has the time, the notice comes a minute before it ± 10 s, and the stream ends after the grace. Deadline has
// each of these times.
func TestExpiry(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		f := newFixture(t, 400)
		l := f.log(t, Config{Size: 1024, Heartbeat: 24 * time.Hour, Grace: 20 * time.Second})
		expires := noon.Add(time.Hour)
		c := subscribeAs(t, l, principal(t, expires, "*"), Options{Format: format}, "*")
		if hello := find(c.take(noon), "hello"); !strings.Contains(hello.text, fmt.Sprintf(`"expires":%d`, expires.UnixMicro())) || strings.Contains(hello.text, "narrowed") {
			t.Errorf("hello %s", hello.text)
		}
		notice := c.Deadline()
		if before := expires.Sub(notice); before < 50*time.Second || before > 70*time.Second {
			t.Errorf("notice %v before the expiry", before)
		}
		if got := c.take(notice.Add(-1)); len(got) > 0 {
			t.Errorf("before the notice: %v", kinds(got))
		}
		want := fmt.Sprintf(`{"T":"auth","status":"expiring","expires":%d}`, expires.UnixMicro())
		if got := c.take(notice); len(got) != 1 || got[0].text != want || got[0].id != "" {
			t.Errorf("notice %v", got)
		}
		if end := c.Deadline(); !end.Equal(expires.Add(20 * time.Second)) {
			t.Errorf("ends at %v", end)
		}
		f.play(l, 100)
		if got := c.take(expires.Add(20*time.Second - 1)); kinds(got) != "q×100" {
			t.Errorf("in the grace: %s", kinds(got))
		}
		got := c.take(expires.Add(20 * time.Second))
		if len(got) != 1 || got[0].Reason != wire.ByeExpired || got[0].Retry < 1000 || got[0].id != "" || !c.Ended() || c.Reason() != wire.ByeExpired {
			t.Errorf("at the end: %v", got)
		}
	})
}

// TestExpiryWakes: the times of a credential wake a stream that nothing else wakes.
func TestExpiryWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, 400)
		l := f.log(t, Config{Size: 1024, Heartbeat: 24 * time.Hour})
		expires := time.Now().Add(time.Hour)
		p := principal(t, expires, "*")
		topics, err := p.Rights.Topics(l.Universe(), []string{"*"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		c := newClient(t, l, Options{Topics: topics, Principal: p})
		defer c.Close()
		var got []string
		w := writerFunc(func(b []byte) {
			for _, m := range c.decode(b) {
				got = append(got, fmt.Sprint(m.T, " ", time.Until(expires).Round(30*time.Second)))
			}
		})
		if err := c.Run(w, nil); err != nil {
			t.Fatal(err)
		}
		if want := "hello 1h0m0s snapshot 1h0m0s auth 1m0s bye -30s"; strings.Join(got, " ") != want {
			t.Errorf("got %v, want %s", got, want)
		}
	})
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

func (writerFunc) Flush() error { return nil }

// TestRenewal: new rights hold from one exact position, with a snapshot of what they add, and the answer has the new expiry.
func TestRenewal(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		for _, mode := range []Mode{ModeAll, ModeLatest} {
			f := newFixture(t, 800)
			l := f.log(t, Config{Size: 1024, Heartbeat: 24 * time.Hour})
			f.play(l, 100)
			c := subscribeAs(t, l, principal(t, noon.Add(time.Minute), "S1", "S3"), Options{Format: format, Mode: mode}, "*")
			c.take(noon)
			renew := func(p *auth.Principal) []message {
				t.Helper()
				if err := c.EnqueueRenewal(p, command("auth", 5)); err != nil {
					t.Fatal(err)
				}
				return c.take(noon)
			}
			later := noon.Add(time.Hour)
			renewed := fmt.Sprintf(`{"T":"auth","status":"renewed","expires":%d,"id":5}`, later.UnixMicro())
			if got := renew(principal(t, later, "S3", "S1")); len(got) != 1 || got[0].text != renewed {
				t.Errorf("the same rights: %v", got)
			}
			if got := c.take(noon.Add(30 * time.Minute)); len(got) > 0 {
				t.Errorf("after the old expiry: %s", kinds(got))
			}
			got := renew(principal(t, later, "S1", "S3", "S5"))
			if kinds(got) != "subscription auth snapshot" || got[0].I != 100 || got[1].text != renewed {
				t.Errorf("more rights: %s", kinds(got))
			}
			if _, snapshot := symbolsOf(got); !slices.Equal(snapshot, []string{"S5"}) {
				t.Errorf("more rights: snapshot of %v", snapshot)
			}
			f.play(l, 400)
			if ticks, _ := symbolsOf(c.take(noon)); !slices.Equal(ticks, []string{"S1", "S3", "S5"}) {
				t.Errorf("more rights: ticks of %v", ticks)
			}
			if got := renew(principal(t, later, "S5")); kinds(got) != "subscription auth" {
				t.Errorf("less rights: %s", kinds(got))
			}
			f.play(l, 600)
			if ticks, _ := symbolsOf(c.take(noon)); !slices.Equal(ticks, []string{"S5"}) {
				t.Errorf("less rights: ticks of %v", ticks)
			}
			if got := renew(principal(t, later, "*")); kinds(got) != "subscription auth snapshot" || strings.Contains(got[0].text, "narrowed") {
				t.Errorf("all rights: %s", kinds(got))
			}
			f.play(l, 800)
			if ticks, _ := symbolsOf(c.take(noon)); len(ticks) != testSymbols-1 {
				t.Errorf("all rights: ticks of %v", ticks)
			}
		}
	})
}

// TestRefusedRenewal: the stream keeps its rights and its expiry.
func TestRefusedRenewal(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		f := newFixture(t, 400)
		l := f.log(t, Config{Size: 1024, Heartbeat: 24 * time.Hour})
		old := principal(t, noon.Add(time.Hour), "S1", "S3")
		c := subscribeAs(t, l, old, Options{Format: format}, "S1")
		c.take(noon)
		deadline := c.Deadline()
		other := *principal(t, time.Time{}, "*")
		other.Subject = "bob"
		var refusal *wire.CommandError
		if err := c.EnqueueRenewal(&other, command("auth", 5)); !errors.As(err, &refusal) || refusal.Code != wire.CodeInvalidToken {
			t.Errorf("another subject: %v", err)
		}
		delayed, err := auth.ParseRights([]byte(`[{"read":["*"],"delay":"15m"}]`))
		if err != nil {
			t.Fatal(err)
		}
		for want, p := range map[string]*auth.Principal{
			wire.CodeForbiddenTopic: principal(t, noon.Add(5*time.Hour), "S3"),
			wire.CodeDelayedTopic:   {Subject: "ana", Expires: noon.Add(5 * time.Hour), Rights: delayed},
		} {
			if err := c.EnqueueRenewal(p, command("auth", 5)); err != nil {
				t.Fatal(err)
			}
			if got := c.take(noon); len(got) != 1 || got[0].Code != want || got[0].ID == nil || *got[0].ID != 5 {
				t.Errorf("got %v, want %s", got, want)
			}
		}
		if c.Principal() != old || !c.Deadline().Equal(deadline) {
			t.Error("a refused renewal has changed the stream")
		}
	})
}

// TestRenewalOfASlowClient: the new expiry counts while the change of topics still waits for a snapshot that the client doesn't read.
func TestRenewalOfASlowClient(t *testing.T) {
	f := newFixture(t, 400)
	l := f.log(t, Config{Size: 1024, Heartbeat: 24 * time.Hour, SnapshotChunk: 1})
	f.play(l, 100)
	c := subscribeAs(t, l, principal(t, noon.Add(time.Minute), "S1", "S3"), Options{MaxRead: 1}, "*")
	c.decode(c.Next(noon)) // the hello; parts of the snapshot are left
	if err := c.EnqueueRenewal(principal(t, noon.Add(time.Hour), "*"), command("auth", 5)); err != nil {
		t.Fatal(err)
	}
	if got := c.take(noon.Add(10 * time.Minute)); find(got, "bye").T != "" || find(got, "auth").T == "" {
		t.Errorf("got %s", kinds(got))
	}
}

// TestRefusedRenewalOfASlowClient: a renewal that is refused after it has waited leaves the stream the expiry that it had.
func TestRefusedRenewalOfASlowClient(t *testing.T) {
	f := newFixture(t, 400)
	l := f.log(t, Config{Size: 1024, Heartbeat: 24 * time.Hour, SnapshotChunk: 1})
	f.play(l, 100)
	c := subscribeAs(t, l, principal(t, noon.Add(time.Minute), "S1", "S3", "S5"), Options{MaxRead: 1}, "S1", "*")
	c.decode(c.Next(noon)) // the hello; parts of the snapshot are left
	if err := c.EnqueueCommand(command("unsubscribe", 4, "*"), noon); err != nil {
		t.Fatal(err)
	}
	if err := c.EnqueueCommand(command("subscribe", 5, "S3"), noon); err != nil {
		t.Fatal(err)
	}
	if err := c.EnqueueRenewal(principal(t, noon.Add(time.Hour), "S1", "S5"), command("auth", 6)); err != nil {
		t.Fatal(err)
	}
	if m := find(c.take(noon), "error"); m.Code != wire.CodeForbiddenTopic {
		t.Errorf("error %s, want %s", m.text, wire.CodeForbiddenTopic)
	}
	if got := c.take(noon.Add(10 * time.Minute)); find(got, "bye").Reason != wire.ByeExpired {
		t.Errorf("got %v after the expiry of the only token that may read S3", got)
	}
}

// TestRenewalIsCheckedWhenItTakesEffect: a credential that was revoked while the renewal waited gives no rights.
func TestRenewalIsCheckedWhenItTakesEffect(t *testing.T) {
	f := newFixture(t, 400)
	l := f.log(t, Config{Size: 1024, Heartbeat: 24 * time.Hour, SnapshotChunk: 1})
	f.play(l, 100)
	revoked := false
	check := func(_ *auth.Principal, cmd wire.Command) *wire.CommandError {
		if revoked {
			return &wire.CommandError{Code: wire.CodeInvalidToken, ID: cmd.ID}
		}
		return nil
	}
	old := principal(t, noon.Add(time.Minute), "S1", "S3")
	c := subscribeAs(t, l, old, Options{MaxRead: 1, CheckRenewal: check}, "*")
	c.decode(c.Next(noon)) // the hello; parts of the snapshot are left
	if err := c.EnqueueRenewal(principal(t, noon.Add(time.Hour), "*"), command("auth", 5)); err != nil {
		t.Fatal(err)
	}
	c.decode(c.Next(noon))
	revoked = true
	if m := find(c.take(noon), "error"); m.Code != wire.CodeInvalidToken || c.Principal() != old {
		t.Errorf("error %q, want %s; the principal is %v", m.text, wire.CodeInvalidToken, c.Principal())
	}
	if got := c.take(noon.Add(10 * time.Minute)); find(got, "bye").Reason != wire.ByeExpired {
		t.Errorf("got %v after the expiry of the only token that is valid", got)
	}
}

// TestEndUnauthorized: streams whose principal is refused end with that reason, the others go on.
func TestEndUnauthorized(t *testing.T) {
	forEachFormat(t, func(t *testing.T, format wire.Format) {
		f := newFixture(t, 400)
		l := f.log(t, Config{Size: 1024})
		revoked := principal(t, time.Time{}, "*")
		a := subscribeAs(t, l, revoked, Options{Format: format}, "*")
		b := subscribeAs(t, l, principal(t, time.Time{}, "*"), Options{Format: format}, "*")
		anyone := subscribe(t, l, Options{Format: format, Topics: f.topics(t, "*")})
		for _, c := range []*client{a, b, anyone} {
			c.take(noon)
			wasNotified(c.Subscriber)
		}
		l.EndUnauthorized(func(p *auth.Principal) string {
			if p == revoked {
				return wire.ByeRevoked
			}
			return ""
		})
		if !wasNotified(a.Subscriber) {
			t.Error("not notified")
		}
		if got := a.take(noon); len(got) != 1 || got[0].Reason != wire.ByeRevoked || got[0].Retry != 0 {
			t.Errorf("got %v", got)
		}
		f.play(l, 10)
		for _, c := range []*client{b, anyone} {
			if got := c.take(noon); kinds(got) != "q×10" {
				t.Errorf("another stream got %s", kinds(got))
			}
		}
	})
}

// TestGrowthIsReportedWithinRights: a stream learns how many symbols it may read, and nothing of others.
func TestGrowthIsReportedWithinRights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newGrowingFeed(t, 10, 2)
		time.Sleep(growthPause)
		c := subscribeAs(t, f.log, principal(t, time.Time{}, "S0", "sector:odd", "S4"), Options{}, "*")
		c.take(noon)
		grow := func() string {
			f.add()
			time.Sleep(2 * growthPause)
			synctest.Wait()
			return kinds(c.take(noon))
		}
		if got := grow(); got != "" { // S2
			t.Errorf("got %s of a symbol that may not be read", got)
		}
		if got := grow(); got != "status" { // S3
			t.Errorf("got %q of an odd symbol", got)
		}
		if got := grow(); got != "status" { // S4
			t.Errorf("got %q of a symbol that may be read", got)
		}
		f.append(2, 4, 0, 3)
		if ticks, _ := symbolsOf(c.take(noon)); !slices.Equal(ticks, []string{"S0", "S3", "S4"}) {
			t.Errorf("ticks of %v", ticks)
		}
		if c.narrowed(quote.Topics{}) {
			t.Error("a stream without topics is narrowed")
		}
	})
}

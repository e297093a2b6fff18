package auth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ticklane/internal/testkit"
)

func TestRevocations(t *testing.T) {
	now := time.Now()
	file := filepath.Join(t.TempDir(), "revocations")
	r, err := newRevocations(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []Revocation{
		{TokenID: "t1"}, {Subject: "ann", Before: now, Expires: now.Add(time.Hour), Reason: "lost \"phone\""}, {Session: "s1"},
	} {
		if err := r.Add(one); err != nil {
			t.Fatal(err)
		}
	}
	reread, err := newRevocations(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p       Principal
		revoked bool
	}{
		{Principal{Subject: "x", TokenID: "t1"}, true},
		{Principal{Subject: "x", TokenID: "t2"}, false},
		{Principal{Subject: "t1"}, false},
		{Principal{Subject: "ann", Issued: now.Add(-time.Second)}, true},
		{Principal{Subject: "ann"}, true},
		{Principal{Subject: "ann", Issued: now.Add(time.Second)}, false},
		{Principal{Subject: "anna", Issued: now.Add(-time.Second)}, false},
		{Principal{Subject: "x", Session: "s1"}, true},
		{Principal{Subject: "x", Session: "s2"}, false},
		{*Unrestricted, false},
	} {
		for _, r := range []*Revocations{r, reread} {
			if got := r.Revoked(&c.p); got != c.revoked {
				t.Errorf("%+v: %t", c.p, got)
			}
		}
	}
}

func TestRevocationRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "want one of them", `{"jti":"a","subject":"b"}`: "want one of them", `{"JTI":"a"}`: "JTI: unknown member", `{"jti":"a","jti":"b"}`: "given twice",
		`{"jti":"a\n"}`: "jti: ", `{"jti":"a","expires":"2020-01-01T00:00:00Z"}`: "expires: want a time in the future", `{"jti":"a","before":"2027-01-01T00:00:00Z"}`: "before: only with subject", `{"jti":1}`: "want a JSON object",
		`[]`: "want a JSON object", ``: "want a JSON object", `{"jti":"` + strings.Repeat("a", 300) + `"}`: "jti", `{"jti":"a","expires":"tomorrow"}`: "want a JSON object",
	} {
		if _, err := ParseRevocation([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", text, err, want)
		}
	}
	if r, err := ParseRevocation([]byte(`{"subject":"a"}`)); err != nil || time.Since(r.Before) > time.Minute {
		t.Errorf("before, by default now: %+v, %v", r, err)
	}
	if _, err := newRevocations(write(t, "revocations", `{"subject":"a"}`)); err == nil || !strings.Contains(err.Error(), "before: missing") {
		t.Errorf("before, in a file: %v", err)
	}
	r, err := newRevocations("")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Add(Revocation{TokenID: "a", Expires: time.Now().Add(-time.Second)}); err == nil {
		t.Error("expired: no error")
	}
}

// TestRevocationFile: an invalid line removes nothing, a revocation of less doesn't replace one of more, and what has expired is dropped.
func TestRevocationFile(t *testing.T) {
	past, future := time.Now().Add(-time.Hour).Format(time.RFC3339), time.Now().Add(time.Hour).Format(time.RFC3339)
	file := write(t, "revocations", `{"jti":"a"}
{"jti":"old","expires":"`+past+`"}

{"jti":"a","expires":"`+future+`"}
{"subject":"s","before":"`+future+`"}
{"subject":"s","before":"`+past+`"}`)
	r, err := newRevocations(file)
	if err != nil {
		t.Fatal(err)
	}
	if one := r.byToken["a"]; len(r.byToken) != 1 || !one.Expires.IsZero() || r.bySubject["s"].Before.Before(time.Now()) {
		t.Errorf("%+v, %+v", r.byToken, r.bySubject)
	}
	if err := r.Add(Revocation{TokenID: "b"}); err != nil { // after a line without its end
		t.Fatal(err)
	}
	if r.file.changed() {
		t.Error("what the server itself has added counts as a change")
	}
	if again, err := newRevocations(file); err != nil || len(again.byToken) != 2 {
		t.Errorf("%+v, %v", again, err)
	}
	rewrite(t, file, "{\"jti\":\"c\"}\nnonsense\n")
	if err := r.load(); err == nil || !strings.Contains(err.Error(), ":2: ") {
		t.Errorf("invalid line: %v", err)
	}
	for _, id := range []string{"a", "b", "c"} {
		if !r.Revoked(&Principal{Subject: "x", TokenID: id}) {
			t.Errorf("%s is no longer revoked", id)
		}
	}
	if _, err := newRevocations(file); err == nil {
		t.Error("the server starts with an invalid file")
	}
	rewrite(t, file, "")
	if err := r.load(); err == nil || !r.Revoked(&Principal{Subject: "x", TokenID: "a"}) {
		t.Errorf("truncated: %v", err)
	}
	_ = os.Remove(file)
	if err := r.load(); err == nil || !r.Revoked(&Principal{Subject: "x", TokenID: "a"}) {
		t.Errorf("missing: %v", err)
	}
	// The next one is written with those that are in force: other servers would take the file for a whole one.
	for name, change := range map[string]func(){"missing": func() { _ = os.Remove(file) }, "truncated": func() { rewrite(t, file, "") }} {
		change()
		if err := r.Add(Revocation{TokenID: "d"}); err != nil {
			t.Fatal(err)
		}
		if again, err := newRevocations(file); err != nil || !again.Revoked(&Principal{Subject: "x", TokenID: "a"}) || again.count() != r.count() {
			t.Errorf("%s: %v, %v", name, again.byToken, err)
		}
	}
	rewrite(t, file, "{\"jti\":\"c\"}\n")
	if err := r.load(); err != nil || r.Revoked(&Principal{Subject: "x", TokenID: "a"}) {
		t.Errorf("removed from the file: %v", err)
	}
}

// TestRevocationOutlivesTheLeeway: a token is valid for auth.jwt.leeway after its claim exp.
func TestRevocationOutlivesTheLeeway(t *testing.T) {
	line := func(ago time.Duration, id string) string {
		return `{"jti":"` + id + `","expires":"` + time.Now().Add(-ago).Format(time.RFC3339) + "\"}\n"
	}
	r, err := newRevocations(write(t, "revocations", line(5*time.Minute, "a")+line(11*time.Minute, "b")))
	if err != nil || !r.Revoked(&Principal{Subject: "x", TokenID: "a"}) || r.Revoked(&Principal{Subject: "x", TokenID: "b"}) {
		t.Errorf("%+v, %v", r.byToken, err)
	}
}

func TestRevocationFileIsCompacted(t *testing.T) {
	line := `{"jti":"a","expires":"` + time.Now().Add(-time.Hour).Format(time.RFC3339) + "\"}\n"
	for live, want := range map[string]string{"{\"jti\":\"b\"}\n": "{\"jti\":\"b\"}\n\n", "": "\n"} {
		file := write(t, "revocations", strings.Repeat(line, 1500)+live)
		r, err := newRevocations(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.compact(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil || string(text) != want {
			t.Errorf("%v: %.200q, want %q", err, text, want)
		}
		if err := r.load(); err != nil || r.count() != strings.Count(live, "\n") {
			t.Errorf("%v: %v", err, r.byToken)
		}
	}
}

// TestRevocationsOfSeveralProcesses: none is lost while processes add to a file, rewrite it and read it again.
func TestRevocationsOfSeveralProcesses(t *testing.T) {
	file := write(t, "revocations", "{\"jti\":\"first\"}\n")
	var adding, rewriting sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		r, err := newRevocations(file)
		if err != nil {
			t.Fatal(err)
		}
		rewriting.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := r.rewrite(); err != nil && !errors.Is(err, errFileLocked) {
					t.Error(err)
				}
			}
		})
	}
	const each = 30
	for process := range 2 {
		r, err := newRevocations(file)
		if err != nil {
			t.Fatal(err)
		}
		adding.Go(func() {
			for i := range each {
				id := fmt.Sprint(process, "-", i)
				if err := r.Add(Revocation{TokenID: id}); err != nil {
					t.Error(err)
				}
				if err := r.load(); err != nil || !r.Revoked(&Principal{Subject: "x", TokenID: "first"}) {
					t.Errorf("%s: %v", id, err)
				}
			}
		})
	}
	adding.Wait()
	close(done)
	rewriting.Wait()
	r, err := newRevocations(file)
	if err != nil || r.count() != 1+2*each {
		t.Errorf("%d revocations are left, want %d; %v", r.count(), 1+2*each, err)
	}
}

// TestUnwrittenRevocation: what couldn't be written stays in force when others change the file, and is written with the next one.
func TestUnwrittenRevocation(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "away")
	file := filepath.Join(dir, "revocations")
	r, err := newRevocations(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Add(Revocation{TokenID: "a"}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("without its directory: %v", err)
	}
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(file, []byte("{\"jti\":\"b\"}\n"), 0o600), r.load()); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b"} {
		if !r.Revoked(&Principal{Subject: "x", TokenID: id}) {
			t.Errorf("%s is no longer revoked", id)
		}
	}
	if err := r.Add(Revocation{TokenID: "c"}); err != nil {
		t.Fatal(err)
	}
	if again, err := newRevocations(file); err != nil || again.count() != 3 {
		t.Errorf("%v, %v", again.byToken, err)
	}
}

func TestRevocationsAreBounded(t *testing.T) {
	r, err := newRevocations("")
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxRevocations {
		r.byToken[string(rune('a'+i%26))+time.Duration(i).String()] = Revocation{TokenID: "x"}
	}
	if err := r.Add(Revocation{TokenID: "new"}); !errors.Is(err, ErrBusy) {
		t.Errorf("%v", err)
	}
	if err := r.Add(Revocation{Session: "new"}); err != nil {
		t.Errorf("sessions have a bound of their own: %v", err)
	}
	for id := range r.byToken {
		r.byToken[id] = Revocation{TokenID: id, Expires: time.Now().Add(-time.Hour)}
		break
	}
	if err := r.Add(Revocation{TokenID: "new"}); err != nil {
		t.Errorf("one has expired: %v", err)
	}
}

// TestOnChange: the functions are called after changes by the API and of both files.
func TestOnChange(t *testing.T) {
	token, secret := NewToken("a", readAll, time.Time{})
	file, revocations := filepath.Join(t.TempDir(), "tokens.yaml"), filepath.Join(t.TempDir(), "revocations")
	if err := WriteTokens(file, []Token{token}); err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Mode: ModeToken, TokenFile: file, Revocations: revocations})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Verifier.Verify(secret)
	if err != nil {
		t.Fatal(err)
	}
	var revoked atomic.Bool
	var calls atomic.Int32
	s.Revocations.OnChange(func() {
		revoked.Store(s.Revocations.Revoked(p))
		calls.Add(1)
	})
	defer running(t, s)()
	if err := s.Revocations.Add(Revocation{TokenID: "other"}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, func() bool { return calls.Load() == 2 }, "two calls after Add")
	rewrite(t, revocations, "{\"jti\":\"a\"}\n")
	testkit.Eventually(t, revoked.Load, "a call after a change of the revocations")
	rewrite(t, revocations, "\n")
	testkit.Eventually(t, func() bool { return !revoked.Load() }, "a call after the revocation was removed")
	if err := WriteTokens(file, nil); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, revoked.Load, "a call after the token was removed")
}

func FuzzRevocation(f *testing.F) {
	f.Add([]byte(`{"jti":"a","expires":"2027-01-31T12:00:00Z","reason":"x"}`))
	f.Add([]byte(`{"subject":"a","before":"2027-01-31T12:00:00Z"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if one, err := ParseRevocation(text); err == nil && one.check() != nil {
			t.Fatalf("%s: %+v", text, one)
		}
	})
}

func FuzzRevocationFile(f *testing.F) {
	f.Add([]byte("{\"jti\":\"a\"}\n\nnonsense\n{\"subject\":\"b\",\"before\":\"2027-01-31T12:00:00+01:00\"}\r\n{\"session\":\"c\""))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, _ := parseRevocations("file", text)
		lines, err := formatRevocations(list)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parseRevocations("file", lines); err != nil || len(again) != len(list) {
			t.Fatalf("%d revocations became %d: %v\n%s", len(list), len(again), err, lines)
		}
	})
}

package auth

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// nodeStore is a RevocationStore of a test.
type nodeStore struct {
	err     error
	got     []Revocation
	changed int
}

func (s *nodeStore) Publish(one Revocation) error {
	s.got = append(s.got, one)
	return s.err
}

func (s *nodeStore) Changed() { s.changed++ }

func TestMergedRevocations(t *testing.T) {
	file := write(t, "revocations", `{"jti":"a"}`+"\n")
	r, err := newRevocations(file)
	if err != nil {
		t.Fatal(err)
	}
	store := &nodeStore{}
	r.Share(store)
	if err := r.Merge([]Revocation{{TokenID: "b"}, {Secret: "hash"}}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-r.changed: // streams end
	default:
		t.Error("no stream is notified")
	}
	if len(store.got) != 0 {
		t.Errorf("%v is passed back", store.got)
	}
	rewrite(t, file, `{"jti":"c"}`+"\n")
	if err := r.load(); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b", "c"} { // what others have isn't lifted by a file
		if !r.Revoked(&Principal{Subject: "x", TokenID: id}) {
			t.Errorf("%s isn't revoked", id)
		}
	}
	if !r.Revoked(&Principal{Subject: "x", TokenID: "new", source: sourceFile, key: "hash"}) {
		t.Error("the secret isn't revoked")
	}
	store.err = errors.New("away")
	if err := r.Add(Revocation{TokenID: "d"}); !errors.Is(err, ErrNotShared) || len(store.got) != 1 {
		t.Errorf("%v, %v", err, store.got)
	}
	// A failure to write the file isn't concealed by one to share.
	r.file.name = t.TempDir()
	if err := r.Add(Revocation{TokenID: "e"}); err == nil || errors.Is(err, ErrNotShared) || !strings.Contains(err.Error(), "away") {
		t.Errorf("%v", err)
	}
}

func TestMergedRevocationsAreBounded(t *testing.T) {
	r, err := newRevocations("")
	if err != nil {
		t.Fatal(err)
	}
	list := make([]Revocation, maxRevocations+10)
	for i := range list {
		list[i] = Revocation{TokenID: fmt.Sprint(i)}
		if i < 5 {
			list[i].Expires = time.Now().Add(-time.Hour)
		}
	}
	if err := r.Merge(list); !errors.Is(err, ErrBusy) || r.count() > maxRevocations {
		t.Errorf("%d revocations, %v", r.count(), err)
	}
	if err := r.Add(Revocation{Session: "s"}); err != nil {
		t.Errorf("a session: %v", err)
	}
}

// TestSecretOfAToken: a token that gets the name of a revoked one is valid.
func TestSecretOfAToken(t *testing.T) {
	old, oldSecret := NewToken("desk", Rights{}, time.Time{})
	old.Revoked = time.Now()
	first, err := New(Options{Mode: ModeToken, TokenFile: tokenFile(t, old)})
	if err != nil {
		t.Fatal(err)
	}
	shared := first.Revocations.Shared()
	if len(shared) != 1 || shared[0].check() != nil {
		t.Fatalf("%+v", shared)
	}
	next, nextSecret := NewToken("desk", Rights{}, time.Time{})
	for secret, stale := range map[string]Token{oldSecret: {Name: "desk", Hash: old.Hash, Created: old.Created}, nextSecret: next} {
		second, err := New(Options{Mode: ModeToken, TokenFile: tokenFile(t, stale)})
		if err != nil {
			t.Fatal(err)
		}
		if err := second.Revocations.Merge(shared); err != nil {
			t.Fatal(err)
		}
		if _, err := second.Verifier.Verify(secret); (secret == oldSecret) != errors.Is(err, ErrRevoked) {
			t.Errorf("%s: %v", stale.Name, err)
		}
	}
	if _, err := ParseRevocation([]byte(`{"secret":"x"}`)); err == nil {
		t.Error("clients may revoke by secret")
	}
}

func tokenFile(t *testing.T, token Token) string {
	t.Helper()
	var err error
	if token.Rights, err = ParseRights([]byte(`[{"read":["*"]}]`)); err != nil {
		t.Fatal(err)
	}
	file := write(t, "tokens.yaml", "tokens: []\n")
	if err := WriteTokens(file, []Token{token}); err != nil {
		t.Fatal(err)
	}
	return file
}

package auth

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func newTestSessions(t *testing.T, keyFile string, tokens *tokenStore) *Sessions {
	t.Helper()
	keys, err := newSecretKeys(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRevocations("")
	if err != nil {
		t.Fatal(err)
	}
	r.tokens = tokens
	return newSessions(keys, time.Hour, r, tokens, sourceJWT)
}

func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSessions(t, "", nil)
		start := time.Now()
		of := &Principal{Subject: "ann", TokenID: "j1", Issued: start.Add(-time.Minute), Expires: start.Add(150 * time.Minute), Rights: readAll, source: sourceJWT}
		token, expires, err := s.Issue(of)
		if err != nil || !expires.Equal(start.Add(time.Hour)) {
			t.Fatalf("%v, %v", expires, err)
		}
		p, err := s.Verify(token)
		if err != nil || p.Subject != "ann" || p.TokenID != "j1" || !p.Issued.Equal(of.Issued) || !p.Expires.Equal(expires) || !p.Rights.ReadsAll() || len(p.Session) != 22 {
			t.Fatalf("%+v, %v", p, err)
		}
		time.Sleep(59 * time.Minute)
		renewed, expires, err := s.Renew(p)
		if err != nil || !expires.Equal(start.Add(119*time.Minute)) {
			t.Fatalf("%v, %v", expires, err)
		}
		time.Sleep(time.Minute)
		if old, err := s.Verify(token); !errors.Is(err, ErrExpired) || old == nil || old.Session != p.Session {
			t.Errorf("%+v, %v", old, err)
		}
		p2, err := s.Verify(renewed)
		if err != nil || p2.Session != p.Session {
			t.Fatalf("%+v, %v", p2, err)
		}
		time.Sleep(40 * time.Minute)
		if _, expires, err = s.Renew(p2); err != nil || !expires.Equal(of.Expires) {
			t.Errorf("beyond the end of the token: %v, %v", expires, err)
		}
		other, _, err := s.Issue(of)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.End(p2); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Verify(renewed); !errors.Is(err, ErrRevoked) || !s.revocations.Revoked(p) {
			t.Errorf("signed out: %v", err)
		}
		if _, err := s.Verify(other); err != nil {
			t.Errorf("another session of the same token: %v", err)
		}
		if err := s.revocations.Add(Revocation{TokenID: "j1"}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Verify(other); !errors.Is(err, ErrRevoked) {
			t.Errorf("the token was revoked: %v", err)
		}
		if _, _, err := s.Renew(of); !errors.Is(err, ErrInvalid) {
			t.Errorf("renewed what is no session: %v", err)
		}
		if err := s.End(of); !errors.Is(err, ErrInvalid) {
			t.Errorf("ended what is no session: %v", err)
		}
	})
}

func TestSessionKey(t *testing.T) {
	secret := strings.Repeat("k", 32)
	file := write(t, "key", secret+"\n")
	of := &Principal{Subject: "ann", Rights: readAll, source: sourceJWT}
	token, _, err := newTestSessions(t, file, nil).Issue(of)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newTestSessions(t, file, nil).Verify(token); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if _, err := newTestSessions(t, "", nil).Verify(token); !errors.Is(err, ErrInvalid) {
		t.Errorf("another key: %v", err)
	}
	parts := strings.Split(token, ".")
	claims, _ := base64.RawURLEncoding.DecodeString(parts[1])
	admin := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(claims), "ann", "bob", 1)))
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	for _, wrong := range []string{"", "a", "a.b.c", token[:len(token)-2], parts[0] + "." + admin + "." + parts[2], none + "." + admin + ".", strings.Repeat("a", maxSession+1)} {
		if p, err := newTestSessions(t, file, nil).Verify(wrong); p != nil || !errors.Is(err, ErrInvalid) {
			t.Errorf("%.40q: %v, %v", wrong, p, err)
		}
	}
	for text, want := range map[string]string{"short": "5 bytes", "-----BEGIN PUBLIC KEY-----\n" + secret: "PEM", "": "0 bytes"} {
		_, err := newSecretKeys(write(t, "key", text))
		if err == nil || !strings.Contains(err.Error(), want) || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestSessionMustFitIntoACookie(t *testing.T) {
	topics := make([]string, 512)
	for i := range topics {
		topics[i] = `"SYMBOL` + string(rune('A'+i%26)) + string(rune('A'+i/26)) + `"`
	}
	rights := parse(t, `[{"read":[`+strings.Join(topics, ",")+`]}]`)
	if _, _, err := newTestSessions(t, "", nil).Issue(&Principal{Subject: "ann", Rights: rights, source: sourceJWT}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v", err)
	}
}

// TestSessionOfAFileToken: its rights and its end are those that the file has now.
func TestSessionOfAFileToken(t *testing.T) {
	token, secret := NewToken("a", readAll, time.Time{})
	service, file := tokenService(t, token)
	p, err := service.Verifier.Verify(secret)
	if err != nil {
		t.Fatal(err)
	}
	cookie, _, err := service.Sessions.Issue(p)
	if err != nil || strings.Contains(cookie, secret) {
		t.Fatal(err)
	}
	if _, err := service.Verifier.Verify(cookie); !errors.Is(err, ErrInvalid) {
		t.Errorf("a session is a bearer token: %v", err)
	}
	session, err := service.Sessions.Verify(cookie)
	if err != nil || !session.Rights.ReadsAll() || service.Revocations.Check(session) != nil {
		t.Fatalf("%+v, %v", session, err)
	}
	change := func(tokens ...Token) {
		t.Helper()
		if err := WriteTokens(file, tokens); err != nil {
			t.Fatal(err)
		}
		if err := service.tokens.load(); err != nil {
			t.Fatal(err)
		}
	}
	token.Rights, token.Expires = parse(t, `[{"read":["AAPL"]}]`), time.Now().Add(time.Minute).UTC().Truncate(time.Second)
	change(token)
	if now, err := service.Sessions.Verify(cookie); err != nil || now.Rights.ReadsAll() || !now.Expires.Equal(token.Expires) {
		t.Errorf("after a change: %+v, %v", now, err)
	}
	if err := service.Revocations.Check(session); !errors.Is(err, ErrExpired) {
		t.Errorf("an open stream: %v", err)
	}
	token.Expires = time.Now().Add(-time.Second).UTC()
	change(token)
	if old, err := service.Sessions.Verify(cookie); !errors.Is(err, ErrExpired) || old == nil {
		t.Errorf("the token has expired: %+v, %v", old, err)
	}
	token.Revoked = time.Now()
	change(token)
	if _, err := service.Sessions.Verify(cookie); !errors.Is(err, ErrRevoked) {
		t.Errorf("revoked: %v", err)
	}
	change()
	if _, err := service.Sessions.Verify(cookie); !errors.Is(err, ErrRevoked) {
		t.Errorf("removed: %v", err)
	}
	jwtMode := newTestSessions(t, "", nil)
	jwtMode.key = service.Sessions.key
	if _, err := jwtMode.Verify(cookie); !errors.Is(err, ErrInvalid) {
		t.Errorf("without a token file: %v", err)
	}
	ofJWT, _, err := jwtMode.Issue(&Principal{Subject: "ann", Rights: readAll, source: sourceJWT})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.Sessions.Verify(ofJWT); !errors.Is(err, ErrInvalid) {
		t.Errorf("of a JWT, in mode token: %v", err)
	}
}

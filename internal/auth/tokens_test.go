package auth

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// tokenService returns a service with the tokens of a new file, and the file.
func tokenService(t testing.TB, tokens ...Token) (*Service, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	if err := WriteTokens(file, tokens); err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Mode: ModeToken, TokenFile: file})
	if err != nil {
		t.Fatal(err)
	}
	return s, file
}

var readAll = func() Rights {
	r, err := ParseRights([]byte(`[{"read":["*"]}]`))
	if err != nil {
		panic(err)
	}
	return r
}()

func TestTokens(t *testing.T) {
	desk, secret := NewToken("desk", readAll, time.Time{})
	desk.Subject = "ann"
	old, oldSecret := NewToken("old", readAll, time.Now().Add(-time.Second))
	gone, goneSecret := NewToken("gone", readAll, time.Time{})
	gone.Revoked = time.Now()
	s, _ := tokenService(t, desk, old, gone)
	p, err := s.Verifier.Verify(secret)
	if err != nil || p.Subject != "ann" || p.TokenID != "desk" || !p.Rights.ReadsAll() || !p.Issued.Equal(desk.Created) || !p.Authenticated() {
		t.Fatalf("%+v, %v", p, err)
	}
	if p, err := s.Verifier.Verify(oldSecret); !errors.Is(err, ErrExpired) || p == nil || p.Subject != "old" {
		t.Errorf("expired: %+v, %v", p, err)
	}
	if p, err := s.Verifier.Verify(goneSecret); !errors.Is(err, ErrRevoked) || p != nil {
		t.Errorf("revoked: %+v, %v", p, err)
	}
	for _, wrong := range []string{"", "x", "tl_", secret[:len(secret)-1], secret + "A", strings.ToLower(secret), strings.TrimPrefix(secret, TokenPrefix), " " + secret, "tl_" + strings.Repeat("x", maxToken)} {
		if p, err := s.Verifier.Verify(wrong); !errors.Is(err, ErrInvalid) || p != nil {
			t.Errorf("%q: %+v, %v", wrong, p, err)
		}
	}
}

// TestTokensAreRevoked: by the API, as JWTs are.
func TestTokensAreRevoked(t *testing.T) {
	for name, one := range map[string]Revocation{"token": {TokenID: "desk"}, "subject": {Subject: "ann", Before: time.Now().Add(time.Second)}} {
		desk, secret := NewToken("desk", readAll, time.Time{})
		desk.Subject = "ann"
		s, _ := tokenService(t, desk)
		p, err := s.Verifier.Verify(secret)
		if err != nil {
			t.Fatal(err)
		}
		cookie, _, err := s.Sessions.Issue(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Revocations.Add(one); err != nil {
			t.Fatal(err)
		}
		if p, err := s.Verifier.Verify(secret); !errors.Is(err, ErrRevoked) || p != nil {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		if p, err := s.Sessions.Verify(cookie); !errors.Is(err, ErrRevoked) || p != nil {
			t.Errorf("%s, its session: %+v, %v", name, p, err)
		}
	}
}

func TestTokenFile(t *testing.T) {
	rights := parse(t, `[{"read":["AAPL","sector:energy"],"delay":"15m","may":["reports"],"streams":2},{"write":["*"],"requests":1.5}]`)
	a, secret := NewToken("a", rights, time.Now().Add(time.Hour).UTC().Truncate(time.Second))
	a.Subject = "Zoë"
	b, _ := NewToken("b", readAll, time.Time{})
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	if err := WriteTokens(file, []Token{a, b}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(text), secret) || strings.Contains(string(text), secret[len(TokenPrefix):]) {
		t.Fatalf("%v: the file has the secret:\n%s", err, text)
	}
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	again, err := ReadTokens(file)
	if err != nil || len(again) != 2 {
		t.Fatalf("%v, %v", again, err)
	}
	if got, want := again[0].principal(), a.principal(); got.version != want.version || got.key != want.key || !got.Issued.Equal(want.Issued) || !got.Expires.Equal(want.Expires) || got.Subject != "Zoë" {
		t.Errorf("%+v; want %+v", got, want)
	}
	if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v: want the file alone", entries, err)
	}
	bad, _ := NewToken("new\nline", readAll, time.Time{})
	if err := WriteTokens(file, []Token{bad}); err == nil {
		t.Error("a file was written that the server refuses")
	}
	if none, err := ReadTokens(filepath.Join(t.TempDir(), "none")); none != nil || err != nil {
		t.Errorf("no file: %v, %v", none, err)
	}
}

func TestTokenFileRefused(t *testing.T) {
	hash := "sha256:" + strings.Repeat("0", 64)
	entry := func(name string) string { return "{name: " + name + ", hash: '" + hash + "', rights: [{read: ['*']}]}" }
	for text, want := range map[string]string{
		"tokens: [{nme: x}]": "field nme not found",
		"Tokens: []":         "field Tokens not found",
		"tokens: [" + entry("a") + "]\n---\ntokens: []":                                                "second YAML document",
		"tokens: [{hash: x}]":                                                                          "name: want",
		"tokens: [{name: a, hash: " + strings.Repeat("0", 64) + "}]":                                   "token 1 (a): hash: want sha256:",
		"tokens: [{name: a, hash: sha256:00}]":                                                         "hash",
		"tokens: [{name: a, hash: 'sha256:" + strings.Repeat("0", 66) + "'}]":                          "hash",
		"tokens: [{name: a, hash: '" + hash + "'}]":                                                    "rights: missing",
		"tokens: [{name: a, hash: '" + hash + "', rights: [{read: [TRUE]}]}]":                          "read: want a list of texts",
		"tokens: [{name: a, hash: '" + hash + "', rights: [{Read: ['*']}]}]":                           "Read: unknown member",
		"tokens: [{name: a, hash: '" + hash + "', rights: [{read: ['*'], read: ['*']}]}]":              "already defined",
		"tokens: [{name: a, subject: \"a\\tb\", hash: '" + hash + "', rights: []}]":                    "subject",
		"tokens: [" + entry("a") + ", " + entry("b") + "]":                                             "hash: another token",
		"tokens: [" + entry("a") + ", " + strings.Replace(entry("a"), "sha256:0", "sha256:1", 1) + "]": "given twice",
	} {
		_, err := ParseTokens([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "auth.") {
			t.Errorf("%s: %v; want %q", text, err, want)
		}
	}
}

// TestTokenFileReload: changes apply within a second; an invalid or missing file changes nothing.
func TestTokenFileReload(t *testing.T) {
	a, aSecret := NewToken("a", readAll, time.Time{})
	b, bSecret := NewToken("b", readAll, time.Time{})
	s, file := tokenService(t, a, b)
	pa, err := s.Verifier.Verify(aSecret)
	if err != nil {
		t.Fatal(err)
	}
	pb, err := s.Verifier.Verify(bSecret)
	if err != nil {
		t.Fatal(err)
	}
	reload := func(change func()) error {
		t.Helper()
		change()
		if !s.tokens.file.changed() {
			t.Fatal("the change isn't noticed")
		}
		return s.tokens.load()
	}
	for name, change := range map[string]func(){
		"invalid": func() { rewrite(t, file, "tokens: {") },
		"empty":   func() { rewrite(t, file, "") }, // a program that writes it has just truncated it
		"missing": func() { _ = os.Remove(file) },
	} {
		if err := reload(change); err == nil {
			t.Errorf("%s: no error", name)
		}
		if got, err := s.Verifier.Verify(aSecret); got != pa || err != nil || s.Revocations.Check(pa) != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	b.Rights = parse(t, `[{"read":["AAPL"]}]`)
	if err := reload(func() {
		if err := WriteTokens(file, []Token{b}); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verifier.Verify(aSecret); !errors.Is(err, ErrInvalid) || !s.Revocations.Revoked(pa) {
		t.Errorf("removed: %v, %v", err, s.Revocations.Check(pa))
	}
	if err := s.Revocations.Check(pb); !errors.Is(err, ErrExpired) || s.Revocations.Revoked(pb) {
		t.Errorf("other rights: %v, want ErrExpired", err)
	}
	if now, err := s.Verifier.Verify(bSecret); err != nil || now.Rights.ReadsAll() || s.Revocations.Check(now) != nil {
		t.Errorf("other rights: %+v, %v", now, err)
	}
	c, _ := NewToken("b", b.Rights, time.Time{})
	if err := reload(func() {
		if err := WriteTokens(file, []Token{c}); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if !s.Revocations.Revoked(pb) {
		t.Error("a token of the same name has another secret: want the old one revoked")
	}
}

// TestUnreadableFileIsReadAgain: otherwise a revocation would be missed that came while too many files were open.
func TestUnreadableFileIsReadAgain(t *testing.T) {
	name := filepath.Join(t.TempDir(), "tokens.yaml")
	if err := os.Mkdir(name, 0o700); err != nil { // can be opened, but not read
		t.Fatal(err)
	}
	f := &watchedFile{name: name}
	if _, err := f.read(); err == nil || !f.changed() {
		t.Errorf("%v, changed: %t", err, f.changed())
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if f.changed() {
		t.Error("a missing file is tried again and again")
	}
	if err := errors.Join(os.WriteFile(name, nil, 0o600), os.Truncate(name, maxFile+1)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.read(); !errors.Is(err, errTooLong) || f.changed() {
		t.Errorf("%v; a file that is too long is tried again and again: %t", err, f.changed())
	}
}

// TestUnreadableFileIsLoggedOnce: it is tried at each poll.
func TestUnreadableFileIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	token, _ := NewToken("a", readAll, time.Time{})
	s, file := tokenService(t, token)
	s.logger = slog.New(slog.NewTextHandler(&log, nil))
	unreadable, invalid := &fs.PathError{Op: "open", Path: file, Err: fs.ErrPermission}, errors.New("invalid")
	for _, err := range []error{unreadable, unreadable, invalid, invalid, unreadable, nil, unreadable} {
		s.reloaded("auth.tokens", "the old tokens stay in use", err)
	}
	if n := strings.Count(log.String(), "changed file is invalid"); n != 5 {
		t.Errorf("logged %d times, want 5", n)
	}
}

func FuzzTokenFile(f *testing.F) {
	token, _ := NewToken("a", readAll, time.Time{})
	text, err := formatTokens([]Token{token})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("tokens: [{name: a, rights: [{read: &x [y], write: *x}]}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		tokens, err := ParseTokens(text)
		if err != nil {
			return
		}
		written, err := formatTokens(tokens)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseTokens(written)
		if err != nil || len(again) != len(tokens) {
			t.Fatalf("written as\n%s\nread: %v", written, err)
		}
		for i := range tokens {
			if again[i].principal().version != tokens[i].principal().version {
				t.Fatalf("written as\n%s", written)
			}
		}
	})
}

func FuzzToken(f *testing.F) {
	token, secret := NewToken("a", readAll, time.Time{})
	s, _ := tokenService(f, token)
	f.Add(secret)
	f.Add("tl_")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := s.Verifier.Verify(text)
		if (err == nil) != (text == secret) || err != nil && p != nil {
			t.Fatalf("%q: %v, %v", text, p, err)
		}
	})
}

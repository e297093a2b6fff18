package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// tokenStore has the tokens of a file.
type tokenStore struct {
	file *watchedFile
	set  atomic.Pointer[tokenSet]
}

// tokenSet is one version of the file. It is immutable.
type tokenSet struct {
	byHash map[[sha256.Size]byte]*storedToken
	byName map[string]*storedToken
	same   string // equal for files with the same tokens in use
}

type storedToken struct {
	principal *Principal
	revoked   bool
}

func newTokenStore(file string) (*tokenStore, error) {
	s := &tokenStore{file: &watchedFile{name: file}}
	return s, s.load()
}

// load reads the file. With an error the earlier tokens stay in use.
func (s *tokenStore) load() error {
	text, err := s.file.read()
	if err != nil {
		return fmt.Errorf("%w (ticklane token new NAME --file FILE makes one)", err)
	}
	if len(bytes.TrimSpace(text)) == 0 && s.set.Load() != nil {
		return fmt.Errorf("%s: is empty; write tokens: [] to remove all tokens", s.file.name) // who writes it may have just truncated it
	}
	tokens, err := ParseTokens(text)
	if err != nil {
		return fmt.Errorf("%s: %w", s.file.name, err)
	}
	var versions []string
	set := &tokenSet{byHash: map[[sha256.Size]byte]*storedToken{}, byName: map[string]*storedToken{}}
	for _, t := range tokens {
		stored := &storedToken{t.principal(), !t.Revoked.IsZero()}
		set.byHash[t.Hash], set.byName[t.Name] = stored, stored
		if !stored.revoked {
			versions = append(versions, fmt.Sprintf("%q %s", t.Name, stored.principal.version))
		}
	}
	slices.Sort(versions)
	hash := sha256.Sum256([]byte(strings.Join(versions, "\n")))
	set.same = hex.EncodeToString(hash[:8])
	s.set.Store(set)
	return nil
}

// verify returns the principal of a token, as Verifier.Verify does, whether or not it was revoked: see Revocations.Check.
func (s *tokenStore) verify(token string) (*Principal, error) {
	if !strings.HasPrefix(token, TokenPrefix) {
		return nil, fmt.Errorf("%w: want a token that begins with %s", ErrInvalid, TokenPrefix)
	}
	stored, ok := s.set.Load().byHash[sha256.Sum256([]byte(token))]
	if !ok {
		return nil, fmt.Errorf("%w: unknown", ErrInvalid)
	}
	if stored.principal.Expired(time.Now()) {
		return stored.principal, ErrExpired
	}
	return stored.principal, nil
}

// current returns the principal that the file now has for the token of an earlier one. The error is ErrRevoked if the token was
// revoked, removed or replaced, and ErrExpired, with the principal, if its rights or its expiry have changed.
func (s *tokenStore) current(p *Principal) (*Principal, error) {
	stored, ok := s.set.Load().byName[p.TokenID]
	if !ok || stored.revoked || stored.principal.key != p.key {
		return nil, ErrRevoked
	}
	if stored.principal.version != p.version {
		return stored.principal, fmt.Errorf("%w: its rights have changed", ErrExpired)
	}
	return stored.principal, nil
}

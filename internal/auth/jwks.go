package auth

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	keysRefresh  = 15 * time.Minute // time between two fetches of the keys
	keysRetry    = 5 * time.Second  // least time between two fetches, besides the first retries
	maxKeysBytes = 1 << 20
)

// remoteKeys are the keys of a JWKS address. Only run fetches them, so verifying a token never waits for the provider. While the
// provider can't be reached the earlier keys stay in use.
type remoteKeys struct {
	url    string
	client *http.Client
	logger *slog.Logger
	// changed is called after other keys were fetched.
	changed func()

	keys    atomic.Pointer[keyVersion]
	fetched atomic.Int64      // when keys were fetched last, in ns since 1970; 0 for never
	wanted  chan struct{}     // of one element
	hash    [sha256.Size]byte // of the text with the keys; used by run alone
}

func newRemoteKeys(url string, client *http.Client, logger *slog.Logger, changed func()) *remoteKeys {
	r := &remoteKeys{url: url, client: client, logger: logger, changed: changed, wanted: make(chan struct{}, 1)}
	r.keys.Store(&keyVersion{})
	return r
}

// refetch requests the keys again, because a token names one that isn't known. It reports whether they will be fetched: not if
// that has happened within keysRetry.
func (r *remoteKeys) refetch() bool {
	if at := r.fetched.Load(); at != 0 && time.Since(time.Unix(0, at)).Abs() < keysRetry { // the clock may have been set back
		return false
	}
	select {
	case r.wanted <- struct{}{}:
	default:
	}
	return true
}

// run fetches the keys at the start, each keysRefresh, and after refetch, until ctx is done.
func (r *remoteKeys) run(ctx context.Context) {
	failures := 0
	for {
		err := r.fetch(ctx)
		wait := keysRefresh
		if err != nil && ctx.Err() == nil {
			r.logger.Warn("auth.jwt.jwks_url can't be fetched; earlier keys stay in use", "err", err, "keys", len(r.keys.Load().keySet))
			wait = min(time.Second<<min(failures, 6), time.Minute)
			failures++
		} else {
			failures = 0
		}
		wanted := r.wanted
		if err != nil {
			wanted = nil // the next try is near anyway
		}
		select {
		case <-r.wanted: // requested while the keys were fetched
		default:
		}
		select {
		case <-ctx.Done():
			return
		case <-wanted:
		case <-time.After(wait):
		}
	}
}

func (r *remoteKeys) fetch(ctx context.Context) error {
	text, err := get(ctx, r.client, r.url)
	if err != nil {
		return err
	}
	keys, skipped, err := parseJWKS(text)
	if err != nil {
		return err
	}
	r.fetched.Store(time.Now().UnixNano())
	hash := sha256.Sum256(text)
	if hash == r.hash {
		return nil
	}
	r.hash = hash
	r.keys.Store(&keyVersion{keys, r.keys.Load().number + 1})
	r.logger.Info("auth.jwt.jwks_url fetched", "keys", len(keys), "skipped", skipped)
	r.changed()
	return nil
}

// get returns the body of an address.
func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d", url, resp.StatusCode)
	}
	text, err := readBody(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	return text, nil
}

// parseJWKS returns the keys of a JSON Web Key Set that can verify signatures, and the number of others.
func parseJWKS(text []byte) (keys keySet, skipped int, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil || set.Keys == nil {
		return nil, 0, errors.New("not a JSON Web Key Set")
	}
	if len(set.Keys) > maxKeys {
		return nil, 0, fmt.Errorf("%d keys; want at most %d", len(set.Keys), maxKeys)
	}
	for _, one := range set.Keys {
		var j jose.JSONWebKey
		if err := j.UnmarshalJSON(one); err != nil || j.Use != "" && j.Use != "sig" {
			skipped++ // other uses and types are usual in such a set
			continue
		}
		k, err := newKey(j.KeyID, j.Key, j.Algorithm) // refuses private keys and those of HMAC, which a public set has by mistake
		if err != nil {
			skipped++
			continue
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, skipped, fmt.Errorf("no usable key of %d; want RSA, ECDSA or Ed25519 for signatures", skipped)
	}
	return keys, skipped, nil
}

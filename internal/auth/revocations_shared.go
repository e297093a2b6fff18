package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// ErrNotShared means that a revocation is in force on this server, but the others don't have it yet. They get it as soon as they can be
// reached.
var ErrNotShared = errors.New("not stored for the other servers yet")

// RevocationStore passes revocations to the other servers. Its methods are safe for concurrent use.
type RevocationStore interface {
	// Publish passes a revocation to the other servers. It may wait for a few seconds. It passes the revocation later if it returns
	// an error.
	Publish(one Revocation) error
	// Changed reports that Shared may return more than before. It doesn't block.
	Changed()
}

// Share makes Add pass revocations to other servers, too. From then on a revocation that is removed from the file stays in force,
// because the others have it. It must be called before Service.Run.
func (r *Revocations) Share(store RevocationStore) { r.store = store }

// publish passes a revocation to the other servers, if there are any. The error wraps ErrNotShared.
func (r *Revocations) publish(one Revocation) error {
	if r.store == nil {
		return nil
	}
	if err := r.store.Publish(one); err != nil {
		return fmt.Errorf("revocation: %w: %w", ErrNotShared, err)
	}
	return nil
}

// reloaded reports to the other servers that a file was read again.
func (r *Revocations) reloaded() {
	if r.store != nil {
		r.store.Changed()
	}
}

// Shared returns what other servers must know: the revocations that haven't expired, and one for each token that the token file marks as
// revoked. That is of the secret, because another token may get the name.
func (r *Revocations) Shared() []Revocation {
	now := time.Now()
	r.mu.RLock()
	list := r.all()
	r.mu.RUnlock()
	if r.tokens != nil {
		for name, t := range r.tokens.set.Load().byName {
			if t.revoked {
				list = append(list, Revocation{Secret: t.principal.key, Expires: t.principal.Expires, Reason: name})
			}
		}
	}
	live := list[:0]
	for i := range list {
		if !list[i].Expired(now) {
			live = append(live, list[i])
		}
	}
	return live
}

// Merge adds revocations of other servers, which must be valid: see ReadRevocation. They aren't written to the file. The error wraps
// ErrBusy if there are too many; the others are in force.
func (r *Revocations) Merge(list []Revocation) error {
	now := time.Now()
	left := 0
	r.mu.Lock()
	for i := range list {
		if left == 0 && r.full(&list[i], now) || left > 0 && !r.room(&list[i]) { // expired ones are removed once
			left++
			continue
		}
		r.put(list[i], now)
	}
	r.mu.Unlock()
	r.notify()
	if left > 0 {
		return fmt.Errorf("%d revocations: %w: want at most %d", left, ErrBusy, maxRevocations)
	}
	return nil
}

// maxRevocation bounds the text of a revocation, in bytes: a name and a reason, each with all characters escaped.
const maxRevocation = 4 << 10

// ReadRevocation parses a revocation of another server. The error names the member.
func ReadRevocation(text []byte) (Revocation, error) {
	if len(text) > maxRevocation {
		return Revocation{}, fmt.Errorf("%d bytes; want at most %d", len(text), maxRevocation)
	}
	r, err := readRevocation(text)
	if err == nil {
		err = r.check()
	}
	return r, err
}

// Target identifies what is revoked by a text of 64 hexadecimal digits, which is the same for revocations that Union joins.
func (r *Revocation) Target() string {
	hash := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", r.TokenID, r.Subject, r.Session, r.Secret))
	return hex.EncodeToString(hash[:])
}

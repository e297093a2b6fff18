package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"ticklane/internal/quote"
)

// ErrStoreAway means that the store that the servers share can't be reached. The same request may succeed later.
var ErrStoreAway = errors.New("the store that the servers share can't be reached")

// ErrNoTicket is the error of TicketStore.Take for a key that isn't there.
var ErrNoTicket = errors.New("no such ticket")

// TicketStore keeps tickets for all servers. Its methods are safe for concurrent use.
type TicketStore interface {
	// Put stores a value that disappears after a time. The error wraps ErrBusy or ErrStoreAway.
	Put(ctx context.Context, key string, value []byte) error
	// Take returns a value and removes it: of several calls, on all servers, one gets it. The error wraps ErrNoTicket or ErrStoreAway.
	Take(ctx context.Context, key string) ([]byte, error)
}

// Share makes tickets valid on all servers that have the same store and the same auth.session_key_file.
func (t *Tickets) Share(store TicketStore) { t.store = store }

const (
	// storeWait bounds the time that a request waits for the store.
	storeWait = 2 * time.Second
	// clockTolerance is how much the clocks of servers may differ. The store removes tickets after TicketTime, whatever these clocks show.
	clockTolerance = time.Minute
)

// ticketKeys protect tickets of all servers: from those who can read and write the store, and the store from those who can't sign a
// ticket.
type ticketKeys struct {
	name    []byte  // signs the text of a ticket
	content *sealer // encrypts what is stored
}

// tagSize is the length of a ticket's signature, in bytes.
const tagSize = 16

// sign returns the text of a ticket with its signature.
func (k *ticketKeys) sign(text string) string { return text + "." + k.tag(text) }

// signed reports whether sign has returned a text: on any server, with the same key.
func (k *ticketKeys) signed(text string) bool {
	name, tag, ok := strings.Cut(text, ".")
	return ok && hmac.Equal([]byte(tag), []byte(k.tag(name)))
}

func (k *ticketKeys) tag(text string) string {
	mac := hmac.New(sha256.New, k.name)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:tagSize])
}

// storedTicket is a ticket as the store has it. Times are in µs since 1970, 0 for none.
type storedTicket struct {
	Key     string          `json:"ticket"` // in the store: so a value is of no use under another key
	Origin  string          `json:"origin"`
	Ends    int64           `json:"ends"`
	Subject string          `json:"sub"`
	TokenID string          `json:"tid,omitempty"`
	Issued  int64           `json:"tiat,omitempty"`
	Expires int64           `json:"exp,omitempty"`
	Until   int64           `json:"until,omitempty"`
	Session string          `json:"session,omitempty"`
	Source  source          `json:"src"`
	Signer  string          `json:"key,omitempty"`
	Rights  json.RawMessage `json:"ticklane,omitempty"` // not of sourceFile: the file has them
}

// put stores a ticket for all servers.
func (t *Tickets) put(p *Principal, origin string, hash [sha256.Size]byte, ends time.Time) (err error) {
	key := hex.EncodeToString(hash[:])
	stored := storedTicket{
		Key: key, Origin: origin, Ends: quote.Micros(ends), Subject: p.Subject, TokenID: p.TokenID, Issued: quote.Micros(p.Issued), Expires: quote.Micros(p.Expires),
		Until: quote.Micros(p.until), Session: p.Session, Source: p.source, Signer: p.key,
	}
	if p.source != sourceFile {
		if stored.Rights, err = json.Marshal(p.Rights); err != nil {
			return err
		}
	}
	value, err := t.keys.content.seal(stored)
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), storeWait)
		defer cancel()
		err = t.store.Put(ctx, key, []byte(value))
	}
	if err != nil {
		t.mu.Lock()
		t.remove(hash)
		t.mu.Unlock()
	}
	return err
}

// take redeems a ticket of any server. The principal is that of an expired credential with ErrExpired, else nil with an error.
func (t *Tickets) take(text, origin string, hash [sha256.Size]byte) (*Principal, error) {
	if !t.keys.signed(strings.TrimPrefix(text, TicketPrefix)) {
		return nil, fmt.Errorf("%w: issued by a server with another auth.session_key_file, or by none", ErrTicket)
	}
	key := hex.EncodeToString(hash[:])
	ctx, cancel := context.WithTimeout(context.Background(), storeWait)
	defer cancel()
	value, err := t.store.Take(ctx, key)
	if errors.Is(err, ErrNoTicket) {
		return nil, fmt.Errorf("%w: unknown, used or older than %s", ErrTicket, TicketTime)
	}
	if err != nil {
		return nil, err
	}
	var stored storedTicket
	now := time.Now()
	switch err := t.keys.content.open(string(value), &stored); {
	case err != nil:
		return nil, fmt.Errorf("%w: what is stored %s", ErrTicket, err.Error())
	case stored.Key != key:
		return nil, fmt.Errorf("%w: what is stored belongs to another ticket", ErrTicket)
	case now.After(fromMicros(stored.Ends).Add(clockTolerance)):
		return nil, fmt.Errorf("%w: older than %s", ErrTicket, TicketTime)
	case stored.Origin != origin:
		return nil, fmt.Errorf("%w: issued for another origin", ErrTicket)
	}
	p := &Principal{
		Subject: stored.Subject, TokenID: stored.TokenID, Issued: fromMicros(stored.Issued), Expires: fromMicros(stored.Expires), Session: stored.Session,
		source: stored.Source, key: stored.Signer, until: fromMicros(stored.Until),
	}
	if err := t.sessions.restore(p, stored.Rights); err != nil {
		return nil, err
	}
	if p.Expired(now) {
		return p, ErrExpired
	}
	return p, nil
}

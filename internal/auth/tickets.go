package auth

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// TicketTime is how long a ticket is valid.
const TicketTime = 30 * time.Second

const (
	maxTickets           = 10_000
	maxTicketsOfASubject = 100
)

// ErrBusy means that a limit of the server is reached: the same request may succeed in half a minute.
var ErrBusy = errors.New("too many are open")

// ErrTicket means that a ticket can't be redeemed. errors.Is reports that it is ErrInvalid, too.
var ErrTicket error = ticketError{}

type ticketError struct{}

func (ticketError) Error() string {
	return "the ticket was used already, has expired, is of a page of another origin, or is not of these servers: request a new one"
}

// Is reports whether a target is ErrInvalid.
func (ticketError) Is(target error) bool { return target == ErrInvalid }

// Tickets are credentials for one request. Pages of other sites need them, because an EventSource can't send a header. A ticket may
// be part of a URL: it is worthless once used, and after 30 s.
type Tickets struct {
	revocations *Revocations
	sessions    *Sessions   // knows which credentials the server accepts; of shared tickets
	keys        ticketKeys  // of shared tickets
	store       TicketStore // of all servers; nil for tickets of this one only

	mu    sync.Mutex
	open  map[[sha256.Size]byte]ticket // by the hash, so that the memory of the process shows none
	queue []issued                     // in the order of their expiry, those that were used included
	of    map[string]int               // open tickets of each subject
}

type ticket struct {
	principal *Principal
	origin    string
	expires   time.Time
}

type issued struct {
	hash    [sha256.Size]byte
	expires time.Time
}

func newTickets(revocations *Revocations) *Tickets {
	return &Tickets{revocations: revocations, open: map[[sha256.Size]byte]ticket{}, of: map[string]int{}}
}

// TicketPrefix makes a ticket recognizable, for instance to scanners for leaked secrets.
const TicketPrefix = "tk_"

// Issue returns a ticket for one request of a principal by a page of an origin, "" for a request by a program. The error wraps ErrBusy
// or ErrStoreAway.
func (t *Tickets) Issue(p *Principal, origin string) (text string, expires time.Time, err error) {
	text = random()
	if t.store != nil {
		text = t.keys.sign(text)
	}
	text = TicketPrefix + text
	hash := sha256.Sum256([]byte(text))
	if expires, err = t.issue(p, origin, hash); err == nil && t.store != nil {
		err = t.put(p, origin, hash, expires)
	}
	if err != nil {
		return "", time.Time{}, fmt.Errorf("tickets: %w", err)
	}
	return text, expires, nil
}

// issue counts a ticket and keeps it. The error is ErrBusy.
func (t *Tickets) issue(p *Principal, origin string, hash [sha256.Size]byte) (expires time.Time, err error) {
	now := time.Now()
	expires = now.Add(TicketTime)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.removeExpired(now)
	if len(t.queue) >= maxTickets || t.of[p.Subject] >= maxTicketsOfASubject {
		return time.Time{}, ErrBusy
	}
	t.open[hash] = ticket{p, origin, expires}
	t.queue = append(t.queue, issued{hash, expires})
	t.of[p.Subject]++
	return expires, nil
}

// Redeem returns the principal of a ticket, once. The error wraps ErrTicket or, if the ticket's credential was revoked or has expired
// meanwhile, ErrInvalid, ErrRevoked, or ErrExpired with the principal. With tickets of all servers it may wrap ErrStoreAway or
// ErrUnavailable, too.
func (t *Tickets) Redeem(text, origin string) (*Principal, error) {
	if !strings.HasPrefix(text, TicketPrefix) {
		return nil, fmt.Errorf("ticket: %w: want what POST /api/ticket has returned", ErrTicket)
	}
	hash, now := sha256.Sum256([]byte(text)), time.Now()
	t.mu.Lock()
	of, ok := t.open[hash]
	t.remove(hash) // even if the origin is wrong: another page has it
	t.mu.Unlock()
	if t.store != nil {
		p, err := t.take(text, origin, hash)
		if err != nil && p == nil {
			return nil, fmt.Errorf("ticket: %w", err)
		}
		return p, err
	}
	switch {
	case !ok || !now.Before(of.expires):
		return nil, fmt.Errorf("ticket: %w: unknown, used or older than %s", ErrTicket, TicketTime)
	case of.origin != origin:
		return nil, fmt.Errorf("ticket: %w: issued for another origin", ErrTicket)
	case t.revocations.Revoked(of.principal):
		return nil, ErrRevoked
	case of.principal.Expired(now):
		return of.principal, ErrExpired
	}
	return of.principal, nil
}

// removeExpired is called with mu held.
func (t *Tickets) removeExpired(now time.Time) {
	n := 0
	for n < len(t.queue) && !now.Before(t.queue[n].expires) {
		t.remove(t.queue[n].hash)
		n++
	}
	t.queue = t.queue[n:]
}

// remove is called with mu held.
func (t *Tickets) remove(hash [sha256.Size]byte) {
	of, ok := t.open[hash]
	if !ok {
		return
	}
	delete(t.open, hash)
	if t.of[of.principal.Subject]--; t.of[of.principal.Subject] == 0 {
		delete(t.of, of.principal.Subject)
	}
}

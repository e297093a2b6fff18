package auth

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// ticketMap is a TicketStore of a test. It keeps values for good, as one whose values are written again.
type ticketMap map[string][]byte

func (m ticketMap) Put(_ context.Context, key string, value []byte) error {
	m[key] = value
	return nil
}

func (m ticketMap) Take(_ context.Context, key string) ([]byte, error) {
	value, ok := m[key]
	if !ok {
		return nil, ErrNoTicket
	}
	return value, nil
}

// sharedTickets returns tickets with a store, of a server that accepts credentials of a provider.
func sharedTickets(t testing.TB, store TicketStore) *Tickets {
	t.Helper()
	keys, err := newSecretKeys("")
	if err != nil {
		t.Fatal(err)
	}
	r := noRevocations(t)
	all := newTickets(r)
	all.keys, all.sessions = keys.ticket, newSessions(keys, time.Hour, r, nil, sourceOIDC)
	all.Share(store)
	return all
}

func TestSharedTickets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := ticketMap{}
		all := sharedTickets(t, store)
		rights, err := ParseRights([]byte(`[{"read":["AAPL"],"delay":"15m","streams":3}]`))
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		want := &Principal{Subject: "ann", TokenID: "t", Issued: now.Add(-time.Minute), Expires: now.Add(20 * time.Second), Session: "s", Rights: rights, source: sourceOIDC, key: "k", until: now.Add(time.Hour)}
		text, _, err := all.Issue(want, "https://a.example")
		if err != nil {
			t.Fatal(err)
		}
		p, err := all.Redeem(text, "https://a.example")
		if err != nil || p.Subject != want.Subject || p.TokenID != want.TokenID || p.Session != want.Session || p.key != want.key || p.source != want.source ||
			!p.Issued.Equal(want.Issued) || !p.Expires.Equal(want.Expires) || !p.until.Equal(want.until) || p.Rights.Key() != rights.Key() || p.Rights.Streams() != 3 {
			t.Fatalf("%+v, %v", p, err)
		}
		time.Sleep(25 * time.Second)
		if p, err := all.Redeem(text, "https://a.example"); !errors.Is(err, ErrExpired) || p == nil || p.Subject != "ann" {
			t.Errorf("after its token's end: %+v, %v", p, err)
		}
		// The store removes tickets in time. One that is written again is refused, though clocks may differ.
		time.Sleep(TicketTime + clockTolerance)
		if p, err := all.Redeem(text, "https://a.example"); !errors.Is(err, ErrInvalid) || p != nil {
			t.Errorf("written again: %+v, %v", p, err)
		}
		// A credential of a kind that this server doesn't accept.
		text, _, err = all.Issue(&Principal{Subject: "ann", source: sourceJWT}, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := all.Redeem(text, ""); !errors.Is(err, ErrInvalid) {
			t.Errorf("of another mode: %v", err)
		}
	})
}

func FuzzStoredTicket(f *testing.F) {
	f.Add([]byte(`{"ticket":"x","sub":"root"}`), "tk_x.y")
	f.Fuzz(func(t *testing.T, value []byte, ticket string) {
		store := ticketMap{}
		all := sharedTickets(t, store)
		real, _, err := all.Issue(&Principal{Subject: "ann", source: sourceOIDC}, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := all.Redeem(ticket, ""); err == nil {
			t.Fatalf("%q is accepted", ticket)
		}
		for key, stored := range store {
			if strings.EqualFold(string(stored), string(value)) {
				return
			}
			store[key] = value
		}
		if p, err := all.Redeem(real, ""); err == nil || p != nil {
			t.Fatalf("%q is accepted", value)
		}
	})
}

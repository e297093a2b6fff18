package auth

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func noRevocations(t testing.TB) *Revocations {
	t.Helper()
	r, err := newRevocations("")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTickets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, p := newTickets(noRevocations(t)), &Principal{Subject: "ann", Expires: time.Now().Add(20 * time.Second)}
		issue := func() string {
			t.Helper()
			ticket, expires, err := all.Issue(p, "https://a.example")
			if err != nil || !expires.Equal(time.Now().Add(30*time.Second)) || !strings.HasPrefix(ticket, "tk_") {
				t.Fatalf("%q, %v, %v", ticket, expires, err)
			}
			return ticket
		}
		once := issue()
		if got, err := all.Redeem(once, "https://a.example"); got != p || err != nil {
			t.Errorf("%v, %v", got, err)
		}
		for name, try := range map[string]func() (*Principal, error){
			"used":               func() (*Principal, error) { return all.Redeem(once, "https://a.example") },
			"unknown":            func() (*Principal, error) { return all.Redeem("tk_x", "https://a.example") },
			"empty":              func() (*Principal, error) { return all.Redeem("", "") },
			"of another origin":  func() (*Principal, error) { return all.Redeem(issue(), "https://b.example") },
			"without its origin": func() (*Principal, error) { return all.Redeem(issue(), "") },
			"that another origin tried": func() (*Principal, error) {
				ticket := issue()
				_, _ = all.Redeem(ticket, "https://b.example")
				return all.Redeem(ticket, "https://a.example")
			},
			"too old": func() (*Principal, error) {
				ticket := issue()
				time.Sleep(30 * time.Second)
				return all.Redeem(ticket, "https://a.example")
			},
		} {
			if got, err := try(); got != nil || !errors.Is(err, ErrInvalid) {
				t.Errorf("ticket %s: %v, %v", name, got, err)
			}
		}
		p.Expires = time.Now().Add(time.Second)
		ticket := issue()
		time.Sleep(time.Second)
		if got, err := all.Redeem(ticket, "https://a.example"); got != p || !errors.Is(err, ErrExpired) {
			t.Errorf("expired principal: %v, %v", got, err)
		}
		ticket = issue()
		if err := all.revocations.Add(Revocation{Subject: "ann"}); err != nil {
			t.Fatal(err)
		}
		if got, err := all.Redeem(ticket, "https://a.example"); got != nil || !errors.Is(err, ErrRevoked) {
			t.Errorf("revoked principal: %v, %v", got, err)
		}
	})
}

func TestTicketsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newTickets(noRevocations(t))
		var tickets []string
		for {
			ticket, _, err := all.Issue(&Principal{Subject: "ann"}, "")
			if errors.Is(err, ErrBusy) {
				break
			}
			tickets = append(tickets, ticket)
		}
		if len(tickets) != maxTicketsOfASubject {
			t.Errorf("%d tickets of a subject", len(tickets))
		}
		if _, _, err := all.Issue(&Principal{Subject: "bob"}, ""); err != nil {
			t.Errorf("another subject: %v", err)
		}
		if _, err := all.Redeem(tickets[0], ""); err != nil {
			t.Error(err)
		}
		if _, _, err := all.Issue(&Principal{Subject: "ann"}, ""); err != nil {
			t.Errorf("one is free again: %v", err)
		}
		time.Sleep(TicketTime)
		if _, _, err := all.Issue(&Principal{Subject: "ann"}, ""); err != nil || len(all.queue) != 1 || len(all.open) != 1 || len(all.of) != 1 {
			t.Errorf("after their time: %v, %d in the queue, %d open, %d subjects", err, len(all.queue), len(all.open), len(all.of))
		}
	})
}

func FuzzTicket(f *testing.F) {
	f.Add("tk_AAAA", "https://a.example")
	f.Fuzz(func(t *testing.T, ticket, origin string) {
		all := newTickets(noRevocations(t))
		real, _, err := all.Issue(&Principal{Subject: "ann"}, origin)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := all.Redeem(ticket, origin); err == nil || p != nil {
			t.Fatalf("%q is accepted", ticket)
		}
		if _, err := all.Redeem(real, origin); err != nil {
			t.Fatal(err)
		}
	})
}

package auth

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestNewDelays: after a reload, delays that the server doesn't keep the feed for are logged with their tokens, and what they get.
func TestNewDelays(t *testing.T) {
	const m = time.Minute
	for _, c := range []struct {
		name string
		kept []time.Duration
		want []string // parts of the lines
	}{
		{"all are kept", []time.Duration{5 * m, 15 * m}, nil},
		{"a longer one is", []time.Duration{5 * m, 20 * m}, []string{"restart the server", "next longer", "delay=15m0s", "longer=20m0s", "tokens=\"[a b]\"", "count=2"}},
		{"none is", nil, []string{"delay=5m0s tokens=[b] count=1\n", "delay=15m0s tokens=\"[a b]\" count=2\n", "its tokens are refused"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := func(name, rights string) Token {
				token, _ := NewToken(name, parse(t, rights), time.Time{})
				return token
			}
			revoked := token("c", `[{"read":["*"],"delay":"1h"}]`)
			revoked.Revoked = time.Now()
			s, _ := tokenService(t, token("a", `[{"read":["*"],"delay":"15m"}]`), revoked, token("d", `[{"read":["*"]}]`),
				token("b", `[{"read":["A"],"delay":"5m"},{"read":["B"],"delay":"15m"},{"read":["C"],"delay":"15m"},{"write":["D"],"delay":"3m"}]`))
			var log strings.Builder
			s.logger = slog.New(slog.NewTextHandler(&log, nil))
			s.KeepDelays(c.kept)
			s.warnDelays()
			if (log.Len() > 0) != (c.want != nil) {
				t.Errorf("logged %q", log.String())
			}
			for _, want := range c.want {
				if !strings.Contains(log.String(), want) {
					t.Errorf("no %q in %q", want, log.String())
				}
			}
		})
	}
}

// TestNewDelaysOfManyTokens: a message names few of them.
func TestNewDelaysOfManyTokens(t *testing.T) {
	var tokens []Token
	for i := range 1000 {
		token, _ := NewToken(fmt.Sprintf("token%04d", i), parse(t, `[{"read":["*"],"delay":"15m"}]`), time.Time{})
		tokens = append(tokens, token)
	}
	s, _ := tokenService(t, tokens...)
	var log strings.Builder
	s.logger = slog.New(slog.NewTextHandler(&log, nil))
	s.warnDelays()
	if !strings.Contains(log.String(), "token0009]\" count=1000") || log.Len() > 400 {
		t.Errorf("logged %q", log.String())
	}
}

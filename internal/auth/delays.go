package auth

import (
	"slices"
	"time"
)

// Delays returns the different delays of the rights in the settings, in order: those of the tokens of the file, unless they were
// revoked, and of people who sign in by OpenID Connect without the claim of rights.
func (s *Service) Delays() []time.Duration {
	var all []time.Duration
	if s.tokens != nil {
		for _, t := range s.tokens.set.Load().byName {
			if !t.revoked {
				all = t.principal.Rights.appendDelays(all)
			}
		}
	}
	if s.OIDC != nil && s.OIDC.fallback != nil {
		all = s.OIDC.fallback.appendDelays(all)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// appendDelays appends the delays of the entries that allow to read.
func (r *Rights) appendDelays(all []time.Duration) []time.Duration {
	for _, e := range r.entries {
		if e.delay > 0 && len(e.read) > 0 {
			all = append(all, e.delay)
		}
	}
	return all
}

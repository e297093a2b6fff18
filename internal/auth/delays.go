package auth

import (
	"slices"
	"time"
)

// Delays returns the different delays of the tokens of the file, without those that were revoked, in order.
func (s *Service) Delays() []time.Duration {
	var all []time.Duration
	if s.tokens == nil {
		return nil
	}
	for _, t := range s.tokens.set.Load().byName {
		for _, e := range t.principal.Rights.entries {
			if e.delay > 0 && !t.revoked && len(e.read) > 0 {
				all = append(all, e.delay)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

package auth

import (
	"maps"
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

// KeepDelays sets the delays, in ascending order, for which the server keeps a feed. Run logs a warning when a reloaded token file has
// others. It must be called before Run.
func (s *Service) KeepDelays(delays []time.Duration) { s.kept = delays }

// maxNamed bounds the tokens that a log message names.
const maxNamed = 10

// warnDelays logs the delays of tokens that the server doesn't keep the feed for.
func (s *Service) warnDelays() {
	tokens := map[time.Duration][]string{}
	for name, t := range s.tokens.set.Load().byName {
		if t.revoked {
			continue
		}
		delays := t.principal.Rights.appendDelays(nil)
		slices.Sort(delays)
		for _, d := range slices.Compact(delays) {
			if !slices.Contains(s.kept, d) {
				tokens[d] = append(tokens[d], name)
			}
		}
	}
	for _, d := range slices.Sorted(maps.Keys(tokens)) {
		names := tokens[d]
		slices.Sort(names)
		attrs := []any{"setting", "auth.tokens", "delay", d, "tokens", names[:min(len(names), maxNamed)], "count", len(names)}
		const message = "new delay in token file; restart the server to keep its feed; until then its tokens "
		if i, _ := slices.BinarySearch(s.kept, d); i < len(s.kept) {
			s.logger.Warn(message+"get the next longer delay", append(attrs, "longer", s.kept[i])...)
		} else {
			s.logger.Warn(message+"are refused", attrs...)
		}
	}
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

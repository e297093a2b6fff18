package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"ticklane/internal/quote"
)

// Topics returns the set of the named topics, of which "*" selects what may be read. The error is a *quote.ForbiddenTopicError with
// all names that may not be read, or one of Universe.Topics.
func (r *Rights) Topics(u *quote.Universe, names []string, limit int) (quote.Topics, error) {
	within := r.Within()
	if within == nil { // everything may be read
		return u.Topics(names, limit)
	}
	if err := r.Forbidden(u, names); err != nil {
		return quote.Topics{}, err
	}
	t, err := u.TopicsWithin(names, within, limit)
	return t, r.Hide(err)
}

// Within returns what "*" stands for: nil for all symbols, otherwise the topics that may be read.
func (r *Rights) Within() []string {
	switch {
	case r.ReadsAll():
		return nil
	case r.readable == nil:
		return []string{}
	}
	return r.readable
}

// Forbidden returns a *quote.ForbiddenTopicError with those of the names that may not be read, nil if there are none.
func (r *Rights) Forbidden(u *quote.Universe, names []string) error {
	if r.ReadsAll() {
		return nil
	}
	var forbidden []string
	for _, name := range names {
		if !r.mayRequest(u, name) && !slices.Contains(forbidden, name) {
			forbidden = append(forbidden, strings.Clone(name))
		}
	}
	if forbidden == nil {
		return nil
	}
	return &quote.ForbiddenTopicError{Names: forbidden}
}

func (r *Rights) mayRequest(u *quote.Universe, name string) bool {
	if name == quote.All {
		return len(r.readable) > 0
	}
	return r.CanRead(name, sectorOf(u, name))
}

// sectorOf returns the sector of a symbol, "" for other topics and unknown symbols.
func sectorOf(u *quote.Universe, name string) string {
	id, ok := u.Lookup(name)
	if !ok {
		return ""
	}
	return u.Instrument(id).Sector
}

// Hide returns an error of a universe without the topic that was meant, unless all may be read.
func (r *Rights) Hide(err error) error {
	var unknown *quote.UnknownTopicError
	if errors.As(err, &unknown) && !r.ReadsAll() {
		return &quote.UnknownTopicError{Names: unknown.Names}
	}
	return err
}

// Readables returns the set of all symbols that may be read.
func (r *Rights) Readables(u *quote.Universe) quote.Topics {
	t, err := u.TopicsWithin([]string{quote.All}, r.Within(), 0)
	if err != nil {
		panic(err) // every universe has "*"
	}
	return t
}

// Delay returns how far behind the feed a set may be read: the longest delay of its topics, of "*" that of what it stands for, which
// may be nothing. ok is false if a topic may not be read.
func (r *Rights) Delay(u *quote.Universe, names []string) (longest time.Duration, ok bool) {
	for _, name := range names {
		d, readable := r.DelayOf(name, sectorOf(u, name))
		if name == quote.All && !r.ReadsAll() {
			d, readable = r.Delay(u, r.readable)
		}
		if !readable {
			return 0, false
		}
		longest = max(longest, d)
	}
	return longest, true
}

// Key identifies what may be read: principals with the same key get the same answers. It is "" if everything may be read.
func (r *Rights) Key() string {
	switch {
	case r.ReadsAll():
		return ""
	case r.key == "":
		return "none"
	}
	return r.key
}

// keyOf returns the key of topics in any order.
func keyOf(topics []string) string {
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(slices.Values(topics)), "\n")))
	return hex.EncodeToString(sum[:])
}

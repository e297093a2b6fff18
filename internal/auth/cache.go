package auth

import (
	"crypto/sha256"
	"sync"
)

// cacheSize bounds the verified tokens that a cache keeps, in each of its two generations.
const cacheSize = 8192

// cache keeps the principals of verified tokens by the hash of the token, so that a client that connects again costs no
// signature check. What was used least recently is dropped: entries move from the old generation to the new one when they are used.
type cache struct {
	mu         sync.RWMutex
	fresh, old map[[sha256.Size]byte]*Principal
	version    uint64 // of the keys that the entries were verified by
}

// get returns the principal of a token that was verified by this version of the keys, nil if it isn't known.
func (c *cache) get(hash [sha256.Size]byte, version uint64) *Principal {
	c.mu.RLock()
	p, ok := c.fresh[hash]
	if !ok {
		p = c.old[hash]
	}
	if c.version != version {
		p = nil
	}
	c.mu.RUnlock()
	if p != nil && !ok {
		c.put(hash, version, p)
	}
	return p
}

// put keeps a principal. Entries of other versions are dropped.
func (c *cache) put(hash [sha256.Size]byte, version uint64, p *Principal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != version {
		c.fresh, c.old, c.version = nil, nil, version
	}
	if c.fresh == nil || len(c.fresh) >= cacheSize {
		c.fresh, c.old = map[[sha256.Size]byte]*Principal{}, c.fresh
	}
	c.fresh[hash] = p
	delete(c.old, hash)
}

// remove forgets a token.
func (c *cache) remove(hash [sha256.Size]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.fresh, hash)
	delete(c.old, hash)
}

package shard

import "time"

// timer is a connection's deadline, as an element of timers.
type timer struct {
	deadline time.Duration // when the connection must be served next
	key      time.Duration // its order in the heap: deadline, or an earlier time
	index    int           // in the heap; -1 for not in it
}

// timers is a heap of connections by key. A connection whose deadline moves later stays where it is, because heartbeat
// deadlines move with each tick; expired corrects its key when it comes first.
type timers []*conn

// set sets a connection's deadline.
func (t *timers) set(c *conn, deadline time.Duration) {
	c.deadline = deadline
	switch {
	case c.index < 0:
		c.key, c.index = deadline, len(*t)
		*t = append(*t, c)
		t.up(c.index)
	case deadline < c.key:
		c.key = deadline
		t.up(c.index)
	}
}

// expired returns a connection whose deadline has passed, or nil and when to call it again: -1 for never. The caller must
// remove or set the connection it returns.
func (t *timers) expired(now time.Duration) (c *conn, next time.Duration) {
	for len(*t) > 0 {
		c := (*t)[0]
		switch {
		case c.key > now:
			return nil, c.key
		case c.deadline > now:
			c.key = c.deadline
			t.down(0)
		default:
			return c, now
		}
	}
	return nil, -1
}

func (t *timers) remove(c *conn) {
	i, last := c.index, len(*t)-1
	if i < 0 {
		return
	}
	t.swap(i, last)
	(*t)[last] = nil
	*t = (*t)[:last]
	c.index = -1
	if i < last {
		t.down(i)
		t.up(i)
	}
}

func (t timers) swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i, j
}

func (t timers) up(i int) {
	for i > 0 && t[i].key < t[(i-1)/2].key {
		t.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (t timers) down(i int) {
	for {
		least := i
		for k := 2*i + 1; k <= 2*i+2 && k < len(t); k++ {
			if t[k].key < t[least].key {
				least = k
			}
		}
		if least == i {
			return
		}
		t.swap(i, least)
		i = least
	}
}

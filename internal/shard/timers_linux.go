package shard

import "time"

// dues is a heap of connections by key. A connection whose due moves later keeps its place, since heartbeats move with
// each tick; the heap finds that out when its time comes.
type dues []*conn

// set makes a connection due.
func (d *dues) set(c *conn, due time.Duration) {
	c.due = due
	switch {
	case c.place < 0:
		c.key, c.place = due, len(*d)
		*d = append(*d, c)
		d.up(c.place)
	case due < c.key:
		c.key = due
		d.up(c.place)
	}
}

// next returns a connection that is due, and when to ask again: -1 for never. The connection stays, and must be set anew
// or removed, or it comes again.
func (d *dues) next(now time.Duration) (*conn, time.Duration) {
	for len(*d) > 0 {
		c := (*d)[0]
		switch {
		case c.key > now:
			return nil, c.key
		case c.due > now:
			c.key = c.due
			d.down(0)
		default:
			return c, now
		}
	}
	return nil, -1
}

func (d *dues) remove(c *conn) {
	i, last := c.place, len(*d)-1
	if i < 0 {
		return
	}
	d.swap(i, last)
	(*d)[last] = nil
	*d = (*d)[:last]
	c.place = -1
	if i < last {
		d.down(i)
		d.up(i)
	}
}

func (d dues) swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].place, d[j].place = i, j
}

func (d dues) up(i int) {
	for i > 0 && d[i].key < d[(i-1)/2].key {
		d.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (d dues) down(i int) {
	for {
		least := i
		for k := 2*i + 1; k <= 2*i+2 && k < len(d); k++ {
			if d[k].key < d[least].key {
				least = k
			}
		}
		if least == i {
			return
		}
		d.swap(i, least)
		i = least
	}
}

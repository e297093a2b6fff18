package shard

import "ticklane/internal/wire"

// slot is what a kernel event refers to. A descriptor's number wouldn't do, because the kernel gives it to the next
// connection. The generation identifies events of the slot's earlier connections.
type slot struct {
	generation int32
	conn       *conn
}

func (p *Pool) slot(i int32) slot {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.slots[i]
}

// register assigns a connection a slot, and the writer that has fewest connections of its lane. The error is ErrClosed.
func (p *Pool) register(c *conn, lane wire.Lane) (generation int32, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.failed {
		return 0, ErrClosed
	}
	if n := len(p.free); n > 0 {
		c.slot = p.free[n-1]
		p.free = p.free[:n-1]
	} else {
		c.slot = int32(len(p.slots))
		p.slots = append(p.slots, slot{})
	}
	s := &p.slots[c.slot]
	s.conn = c
	c.lane = lane
	c.writer = p.writers[0]
	for _, w := range p.writers[1:] {
		if w.conns[lane] < c.writer.conns[lane] {
			c.writer = w
		}
	}
	c.writer.conns[lane]++
	p.connections.Add(1)
	return s.generation, nil
}

// unregister undoes register. Later events of the connection are ignored.
func (p *Pool) unregister(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.slots[c.slot]
	s.generation++
	s.conn = nil
	p.free = append(p.free, c.slot)
	c.writer.conns[c.lane]--
	p.connections.Done()
}

// registered returns the connections that are open.
func (p *Pool) registered() []*conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []*conn
	for _, s := range p.slots {
		if s.conn != nil {
			all = append(all, s.conn)
		}
	}
	return all
}

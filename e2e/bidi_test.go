package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// bidi is a session of WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), the protocol that drives Firefox. Its methods
// may be called concurrently.
type bidi struct {
	conn   net.Conn
	record func(method string, params json.RawMessage) // handles events, one after the other
	ended  chan struct{}                               // closed once the connection has ended
	err    error                                       // why it ended; read it after ended is closed

	mu      sync.Mutex
	sent    int // commands, and the id of the newest
	replies map[int]chan bidiMessage
}

// bidiMessage is what the browser sends: the reply to a command, or an event, which has no id.
type bidiMessage struct {
	ID      int             `json:"id"`
	Type    string          `json:"type"` // success, error or event
	Result  json.RawMessage `json:"result"`
	Error   string          `json:"error"`
	Message string          `json:"message"` // of an error
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
}

// dialBidi begins a session with the browser at url, and calls record with its events of these kinds.
func dialBidi(url string, record func(method string, params json.RawMessage), events ...string) (*bidi, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	conn, _, _, err := ws.Dial(ctx, url+"/session") // the browser sends nothing before a command
	if err != nil {
		return nil, err
	}
	c := &bidi{conn: conn, record: record, ended: make(chan struct{}), replies: map[int]chan bidiMessage{}}
	go c.read()
	err = c.call("session.new", map[string]any{"capabilities": map[string]any{}}, nil)
	if err == nil {
		err = c.call("session.subscribe", map[string]any{"events": events}, nil)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// read handles messages until the connection ends.
func (c *bidi) read() {
	defer close(c.ended)
	for {
		b, err := wsutil.ReadServerText(c.conn)
		var m bidiMessage
		if err == nil {
			err = json.Unmarshal(b, &m)
		}
		if err != nil {
			c.err = err
			return
		}
		if m.Type == "event" {
			c.record(m.Method, m.Params)
			continue
		}
		c.mu.Lock()
		reply := c.replies[m.ID]
		delete(c.replies, m.ID)
		c.mu.Unlock()
		if reply != nil {
			reply <- m
		}
	}
}

// call runs a command and decodes its result into v unless that is nil.
func (c *bidi) call(method string, params, v any) error {
	m, err := c.send(method, params)
	switch {
	case err != nil:
	case m.Type == "error":
		err = fmt.Errorf("%s: %s", m.Error, m.Message)
	case v != nil:
		err = json.Unmarshal(m.Result, v)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return nil
}

// send sends a command and waits for its reply.
func (c *bidi) send(method string, params any) (bidiMessage, error) {
	reply := make(chan bidiMessage, 1)
	c.mu.Lock()
	c.sent++
	c.replies[c.sent] = reply
	b, err := json.Marshal(map[string]any{"id": c.sent, "method": method, "params": params})
	if err == nil {
		err = wsutil.WriteClientText(c.conn, b)
	}
	c.mu.Unlock()
	if err != nil {
		return bidiMessage{}, err
	}
	limit := time.NewTimer(2 * timeout)
	defer limit.Stop()
	select {
	case m := <-reply:
		return m, nil
	case <-c.ended:
		return bidiMessage{}, c.err
	case <-limit.C:
		return bidiMessage{}, fmt.Errorf("no reply after %s", 2*timeout)
	}
}

// close ends the connection and waits for the last event.
func (c *bidi) close() {
	c.conn.Close()
	<-c.ended
}

//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

const (
	dialTimeout = 2 * time.Second
	helloWait   = 5 * time.Second
	retryAfter  = 200 * time.Millisecond
)

// follow keeps a stream of all symbols open at an address on a lane and checks it, until ctx is done. It resumes whenever the
// connection ends, and when there is no message for silence (longer than the heartbeat).
func follow(ctx context.Context, s *stream, lane, address string, silence time.Duration) {
	open := openSSE
	if lane == "ws" {
		open = openWS
	}
	for ctx.Err() == nil {
		connection, cancel := context.WithCancel(ctx)
		watch := time.AfterFunc(helloWait, cancel)
		next, err := open(connection, address, s.position())
		for err == nil {
			var text []byte
			if text, err = next(); err == nil {
				watch.Reset(silence)
				s.take(text, time.Now())
			}
		}
		watch.Stop()
		cancel()
		select {
		case <-ctx.Done():
		case <-time.After(retryAfter):
		}
	}
}

// transport has no limits besides those of connecting. Connections aren't reused, so that none is half dead.
var transport = &http.Transport{DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext, DisableKeepAlives: true, DisableCompression: true}

func query(address, lane, from string) string {
	u := fmt.Sprintf("http://%s/%s/subscribe?channels=quotes,status&user=cluster", address, lane)
	if from != "" {
		u += "&from=" + from
	}
	return u
}

// openSSE returns a function that reads the data of the next event.
func openSSE(ctx context.Context, address, from string) (next func() ([]byte, error), err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, query(address, "sse", from), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	res, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		return nil, errors.New(res.Status)
	}
	lines := bufio.NewReaderSize(res.Body, 64<<10)
	return func() ([]byte, error) {
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				res.Body.Close()
				return nil, err
			}
			if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
				return bytes.TrimSpace(data), nil
			}
		}
	}, nil
}

// openWS returns a function that reads the next message.
func openWS(ctx context.Context, address, from string) (next func() ([]byte, error), err error) {
	c, _, err := websocket.Dial(ctx, query(address, "ws", from), &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{"ticklane.v1.json"},
	})
	if err != nil {
		return nil, err
	}
	c.SetReadLimit(1 << 20)
	return func() ([]byte, error) {
		_, text, err := c.Read(ctx)
		if err != nil {
			c.CloseNow()
		}
		return text, err
	}, nil
}

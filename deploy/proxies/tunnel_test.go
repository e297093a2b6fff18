//go:build proxies && linux

package proxies

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// checkTunnel sends two requests in one go. Because of the first a proxy may pipe the connection, so that it doesn't see the
// second, which has a forged address.
func (v *visit) checkTunnel() {
	u, err := url.Parse(v.public)
	if err != nil {
		v.t.Fatal(err)
	}
	handshake := "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for first, lines := range map[string]string{
		"GET " + u.Path + "/ws/subscribe?topics=nothing": handshake, // which the server refuses
		"GET " + u.Path + "/api/time":                    handshake,
		"GET " + u.Path + "/static/theme.js":             handshake,
		"FOO " + u.Path + "/static/theme.js":             "",
		"CONNECT " + u.Path + "/static/theme.js":         "",
		"PUT " + u.Path + "/static/theme.js":             "Content-Length: 0\r\n",
	} {
		v.checkTunnelAfter(u, first, lines)
	}
}

func (v *visit) checkTunnelAfter(u *url.URL, first, lines string) {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(outside)}}
	c, err := tls.DialWithDialer(dialer, "tcp", "127.0.0.1:"+u.Port(), &tls.Config{RootCAs: roots, ServerName: host, NextProtos: []string{"http/1.1"}})
	if err != nil {
		v.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(timeout))
	forged := " HTTP/1.1\r\nHost: " + u.Host + "\r\nX-Forwarded-For: 203.0.113.9\r\n"
	fmt.Fprint(c, first+forged+lines+"\r\nGET "+u.Path+"/sse/subscribe?topics=*"+forged+"Accept: text/event-stream\r\n\r\n")
	in := bufio.NewReader(c)
	for { // answers without a stream, and then the stream or the end of the connection
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			return
		}
		if !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") {
			_, _ = io.Copy(io.Discard, answer.Body)
			continue
		}
		for events := bufio.NewScanner(answer.Body); events.Scan(); {
			data, ok := strings.CutPrefix(events.Text(), "data: ")
			if !ok {
				continue
			}
			var hello message
			var info struct{ Address string }
			if err := json.Unmarshal([]byte(data), &hello); err != nil {
				v.t.Fatal(err)
			}
			v.sites[1].get("/sse/connections/"+hello.Conn, &info)
			if info.Address != outside {
				v.t.Errorf("after %s the client's address is %q, want %s", first, info.Address, outside)
			}
			return
		}
	}
}

package websocket

import "testing"

func TestIsUpgrade(t *testing.T) {
	for _, c := range []struct {
		connection, upgrade []string
		want                bool
	}{
		{[]string{"Upgrade"}, []string{"websocket"}, true},
		{[]string{"keep-alive, UPGRADE"}, []string{"h2c, WebSocket"}, true},
		{[]string{"keep-alive", "Upgrade"}, []string{"h2c", "websocket"}, true},
		{[]string{",upgrade"}, []string{" websocket "}, true},
		{nil, []string{"websocket"}, false},
		{[]string{"Upgrade"}, nil, false},
		{[]string{"Upgrades"}, []string{"websocket"}, false},
		{[]string{"Upgrade"}, []string{"websocket2"}, false},
		{[]string{"keep-alive upgrade"}, []string{"websocket"}, false},
	} {
		if got := IsUpgrade(c.connection, c.upgrade); got != c.want {
			t.Errorf("%q, %q: %v", c.connection, c.upgrade, got)
		}
	}
}

func TestIsVersion13(t *testing.T) {
	if !IsVersion13([]string{"13"}) {
		t.Error("13 is refused")
	}
	for _, values := range [][]string{nil, {""}, {"8"}, {"13, 8"}, {"13", "13"}, {"013"}} {
		if IsVersion13(values) {
			t.Errorf("%q is accepted", values)
		}
	}
}

func TestAcceptKey(t *testing.T) {
	const key = "dGhlIHNhbXBsZSBub25jZQ==" // RFC 6455 §1.3
	if got, ok := AcceptKey([]string{key}); !ok || got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("%q, %v", got, ok)
	}
	for _, values := range [][]string{
		nil, {""}, {key, key}, {key + "," + key}, {"abcd"},
		{"dGhlIHNhbXBsZSBub25j"},          // 15 bytes
		{"dGhlIHNhbXBsZSBub25jZTE="},      // 17 bytes
		{"!!!!HNhbXBsZSBub25jZQ=="},       // not base64
		{"dGhlIHNhbXBsZSBub25jZQ"},        // no padding
		{" dGhlIHNhbXBsZSBub25jZQ==\x00"}, // not base64
	} {
		if got, ok := AcceptKey(values); ok || got != "" {
			t.Errorf("%q is accepted", values)
		}
	}
}

func TestSubprotocol(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   string
		ok     bool
	}{
		{nil, "", true},
		{[]string{""}, "", true},
		{[]string{"a"}, "a", true},
		{[]string{"b, a"}, "b", true},
		{[]string{"chat,b , a"}, "b", true},
		{[]string{"chat", "b", "a"}, "b", true},
		{[]string{"", "a"}, "a", true},
		{[]string{"chat\ta"}, "a", true},
		{[]string{"chat"}, "", false},
		{[]string{"A"}, "", false}, // case matters
		{[]string{"chat", ""}, "", false},
		{[]string{","}, "", false},
	} {
		if got, ok := Subprotocol(c.values, "a", "b"); got != c.want || ok != c.ok {
			t.Errorf("%q: %q, %v; want %q, %v", c.values, got, ok, c.want, c.ok)
		}
	}
}

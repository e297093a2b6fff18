//go:build proxies && linux

package proxies

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// outside is the address of the tests' clients. The proxy and the server use 127.0.0.1.
const outside = "127.0.0.2"

// site is an address at which the server is reached, by a proxy or directly, with a client for it.
type site struct {
	t    testing.TB
	url  string // with the base path
	http *http.Client
	two  bool // HTTP/2
}

// newSite returns a site whose connections all go to 127.0.0.1.
func newSite(t testing.TB, url string, two bool) *site {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(outside)}}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(addr)
			return dialer.DialContext(ctx, network, "127.0.0.1:"+port)
		},
		TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: two, DisableCompression: true,
	}
	if !two {
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &site{t: t, url: url, http: &http.Client{Transport: transport}, two: two}
}

// origin is the Origin of the site's own pages.
func (s *site) origin() string {
	scheme, rest, _ := strings.Cut(s.url, "://")
	authority, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + authority
}

// do makes a request and returns the status, the header and the body. The status is 0 if there is no answer.
func (s *site) do(method, path, body string, header ...string) (int, http.Header, []byte) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := s.http.Do(req)
	if err != nil {
		return 0, nil, []byte(err.Error())
	}
	defer res.Body.Close()
	if s.two != (res.ProtoMajor == 2) {
		s.t.Errorf("%s %s came by %s", method, path, res.Proto)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Errorf("%s %s: %v", method, path, err)
	}
	return res.StatusCode, res.Header, b
}

// get decodes the JSON at a path.
func (s *site) get(path string, into any, header ...string) {
	s.t.Helper()
	status, _, body := s.do(http.MethodGet, path, "", header...)
	if status != http.StatusOK {
		s.t.Fatalf("GET %s: %d %s", path, status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
}

// message is what the tests read of a message of the protocol.
type message struct {
	T      string `json:"T"`
	Time   int64  `json:"t"` // otherwise it would be taken for T
	I      uint64
	Conn   string
	Epoch  string
	Head   uint64
	Resume string
	Reason string
	From   uint64
	To     uint64
	Missed uint64
	Topics []string
}

func parse(data []byte) (message, error) {
	var m message
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("%.100q: %w", data, err)
	}
	return m, nil
}

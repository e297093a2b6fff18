package loadtest

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// target is one server as a client sees it.
type target struct {
	url     *url.URL
	host    string // of the Host header
	base    string // path before /sse/subscribe; empty at the root
	address string // host:port to dial
	dialer  net.Dialer
	api     *http.Client
	symbols map[string]int
	topics  string
	mode    string
	clock   Clock
}

// Stats is the part of /api/stats that is used. Bytes and counts run since the server's start.
type Stats struct {
	Process struct {
		CPUSeconds float64 `json:"cpu_seconds"`
		RSS        uint64  `json:"rss_bytes"`
	} `json:"process"`
	Log struct {
		Epoch  string `json:"epoch"`
		Head   uint64 `json:"head"`
		Oldest uint64 `json:"oldest"`
	} `json:"log"`
	Lanes map[string]LaneStats `json:"lanes"`
	Feed  struct {
		Source string `json:"source"`
		File   string `json:"file"`
		Seed   int64  `json:"seed"`
		Timed  bool   `json:"timed"`
	} `json:"feed"`
	Version string `json:"version"`
}

// LaneStats is what a server counted of a lane.
type LaneStats struct {
	Connections int    `json:"connections"`
	Ticks       uint64 `json:"ticks"`
	Writes      uint64 `json:"writes"`
	Payload     uint64 `json:"payload_bytes"`
	Wire        uint64 `json:"wire_bytes"`
	Gaps        uint64 `json:"gaps"`
	Slow        uint64 `json:"slow"`
	Opened      uint64 `json:"opened"`
}

// newTarget looks at the server: whether it answers, whether it is Ticklane, which symbols it has, and what its clock
// says.
func newTarget(ctx context.Context, o *Options, raw string) (*target, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	t := &target{
		url: u, host: u.Host, base: strings.TrimSuffix(u.Path, "/"), address: addressOf(u),
		dialer: net.Dialer{Timeout: openTimeout}, topics: o.Topics, mode: o.Mode,
		api: &http.Client{
			Timeout:       10 * time.Second,
			Transport:     &http.Transport{MaxIdleConns: 2, IdleConnTimeout: 30 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	s, err := t.stats(ctx)
	if err != nil {
		return nil, t.explain(err)
	}
	if s.Log.Epoch == "" || len(s.Lanes) == 0 {
		return nil, t.explain(errors.New("its /api/stats has no log and no lanes"))
	}
	if err := t.loadSymbols(ctx); err != nil {
		return nil, t.explain(err)
	}
	if !loopback(u.Hostname()) {
		if t.clock, err = t.compareClocks(ctx); err != nil {
			return nil, t.explain(err)
		}
	}
	return t, nil
}

// explain says what may be wrong with a server that can't be measured.
func (t *target) explain(err error) error {
	var netErr *net.OpError
	if errors.As(err, &netErr) && netErr.Op == "dial" {
		return fmt.Errorf("no server answers at %s: %w; start one with ticklane serve, or leave --url out and one is started for the test",
			t.url, netErr.Err)
	}
	return fmt.Errorf("%s is no Ticklane server, or one that can't be measured: %w", t.url, err)
}

func addressOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// loopback tells whether a host is this machine by its name alone: nothing is resolved.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

func (t *target) dial(ctx context.Context) (net.Conn, error) {
	nc, err := t.dialer.DialContext(ctx, "tcp", t.address)
	if err != nil {
		return nil, err
	}
	if t.url.Scheme != "https" {
		return nc, nil
	}
	secure := tls.Client(nc, &tls.Config{ServerName: t.url.Hostname(), NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12})
	if err := secure.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, fmt.Errorf("TLS with %s: %w", t.address, err)
	}
	return secure, nil
}

// get reads one JSON answer of the API.
func (t *target) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url.Scheme+"://"+t.host+t.base+path, nil)
	if err != nil {
		return err
	}
	res, err := t.api.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %w", path, statusError(res))
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxMessage))
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("GET %s: the answer is not the JSON that a Ticklane server gives", path)
	}
	return nil
}

func (t *target) stats(ctx context.Context) (Stats, error) {
	var s Stats
	err := t.get(ctx, "/api/stats", &s)
	return s, err
}

func (t *target) loadSymbols(ctx context.Context) error {
	var s struct {
		Symbols []struct {
			Symbol string `json:"symbol"`
		} `json:"symbols"`
	}
	if err := t.get(ctx, "/api/symbols", &s); err != nil {
		return err
	}
	if len(s.Symbols) == 0 {
		return errors.New("its /api/symbols lists none")
	}
	t.symbols = make(map[string]int, len(s.Symbols))
	for i, y := range s.Symbols {
		t.symbols[y.Symbol] = i
	}
	return nil
}

// checker makes the account of one connection.
func (t *target) checker(side *Side) checker {
	c := checker{every: t.mode == "all" && t.topics == "*", latest: t.mode == "latest", symbols: t.symbols}
	if !c.every {
		c.quotes = make([]sequence, len(t.symbols))
	}
	return c
}

// baseline asks where the server stands now.
func (t *target) baseline(ctx context.Context) (baseline, error) {
	var raw json.RawMessage
	if err := t.get(ctx, "/api/quotes?"+url.Values{"topics": {t.topics}}.Encode(), &raw); err != nil {
		return baseline{}, err
	}
	b := baseline{n: make(map[int]uint64)}
	i, ok := scanSnapshot(raw, func(q *tick) {
		if at, known := t.symbols[string(q.symbol)]; known {
			b.n[at] = q.n
		}
	})
	if !ok {
		return b, fmt.Errorf("GET /api/quotes: %w", errMalformed)
	}
	b.i = i
	return b, nil
}

func (t *target) close() { t.api.CloseIdleConnections() }

package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ticklane/internal/loadtest/client"
	"ticklane/internal/loadtest/report"
)

// target is the server under test and its API.
type target struct {
	client.Server
	topics  string
	clock   report.Clock
	api     *http.Client
	sources []source // local addresses of the connections; none: the system chooses
}

const (
	apiTimeout  = 10 * time.Second
	maxResponse = 16 << 20 // bytes of an API response
)

// serverStats is what the load tester uses of /api/stats. Bytes and counts are since the server's start.
type serverStats struct {
	Process struct {
		CPUSeconds float64 `json:"cpu_seconds"`
		RSS        uint64  `json:"rss_bytes"`
	} `json:"process"`
	Log struct {
		Epoch string `json:"epoch"`
	} `json:"log"`
	Lanes map[string]laneStats `json:"lanes"`
	Feed  struct {
		Source string `json:"source"`
		File   string `json:"file"`
		Seed   int64  `json:"seed"`
	} `json:"feed"`
	Version string `json:"version"`
}

// laneStats is what a server counts on a lane.
type laneStats struct {
	Connections int    `json:"connections"`
	Ticks       uint64 `json:"ticks"`
	Writes      uint64 `json:"writes"`
	Payload     uint64 `json:"payload_bytes"`
	Wire        uint64 `json:"wire_bytes"`
	Slow        uint64 `json:"slow"`
	Opened      uint64 `json:"opened"`
}

// newTarget checks that the server at an address is a Ticklane server, and reads its symbols and its clock. token is sent with each
// request, unless it is empty.
func newTarget(ctx context.Context, address, topics, token string) (*target, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	t := &target{
		Server: client.Server{URL: u, Token: token}, topics: topics,
		api: &http.Client{
			Timeout:       apiTimeout,
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
	if !t.Loopback() {
		if t.clock, err = compareClocks(ctx, t.get); err != nil {
			return nil, t.explain(err)
		}
		t.ClockOffset = t.clock.Offset
	}
	return t, nil
}

// explain adds to err why the server can't be measured.
func (t *target) explain(err error) error {
	if certErr := explainCertificate(err, t.URL); certErr != nil {
		return certErr
	}
	var netErr *net.OpError
	if errors.As(err, &netErr) && netErr.Op == "dial" {
		return fmt.Errorf("no server answers at %s: %w; start one with ticklane serve, or omit --url to have one started for the test",
			t.URL, netErr.Err)
	}
	return fmt.Errorf("%s is not a Ticklane server, or can't be measured: %w", t.URL, err)
}

// get decodes a JSON response of the API.
func (t *target) get(ctx context.Context, path string, into any) error {
	u := t.URL.Scheme + "://" + t.URL.Host + strings.TrimSuffix(t.URL.Path, "/") + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return err
	}
	if t.Token != "" {
		req.Header.Set("Authorization", "Bearer "+t.Token)
	}
	res, err := t.api.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %w", path, client.ResponseError(res))
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxResponse))
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("GET %s: the response is not a Ticklane server's JSON", path)
	}
	return nil
}

func (t *target) stats(ctx context.Context) (serverStats, error) {
	var s serverStats
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
		return errors.New("its /api/symbols is empty")
	}
	t.Symbols = make(map[string]int, len(s.Symbols))
	for i, y := range s.Symbols {
		t.Symbols[y.Symbol] = i
	}
	return nil
}

// heads returns how far the server's log has got.
func (t *target) heads(ctx context.Context) (client.Heads, error) {
	var text json.RawMessage
	if err := t.get(ctx, "/api/quotes?"+url.Values{"topics": {t.topics}}.Encode(), &text); err != nil {
		return client.Heads{}, err
	}
	h, err := t.ParseHeads(text)
	if err != nil {
		return h, fmt.Errorf("GET /api/quotes: %w", err)
	}
	return h, nil
}

func (t *target) close() { t.api.CloseIdleConnections() }

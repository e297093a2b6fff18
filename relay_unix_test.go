//go:build unix

package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"ticklane/internal/testkit"
	"ticklane/internal/testkit/natstest"
)

// TestRateOfTheLab: the rate that the lab sets on one server is that of all, and of the next that runs the market.
func TestRateOfTheLab(t *testing.T) {
	t.Parallel()
	args := []string{"--bus.kind=nats", "--bus.nats.url=" + natstest.New(t, nil).URL(), "--lab.enabled", "--market.seed=7"}
	writer := startServer(t, append(args, "--bus.node=a")...)
	reader := startServer(t, append(args, "--bus.node=b")...)
	rate := func(p *process, want float64) {
		t.Helper()
		testkit.Eventually(t, func() bool {
			_, state := request(t, http.MethodGet, p, "/api/lab", "")
			return strings.Contains(state, fmt.Sprintf(`"rate":%g,`, want)) || strings.Contains(state, fmt.Sprintf(`"rate":%g}`, want))
		}, "the rate on ", p.addr)
	}
	for _, p := range []*process{reader, writer} {
		rate(p, 100)
	}
	if status, text := request(t, http.MethodPost, reader, "/api/lab/rate", `{"rate":3000}`); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	for _, p := range []*process{reader, writer} {
		rate(p, 3000)
	}
	writer.signal(t, syscall.SIGTERM)
	f := followSSE(t, reader.addr, "")
	_, head := f.begin(t)
	testkit.Eventually(t, func() bool { return f.reached(t, head+1000) }, "ticks of the next server")
	rate(reader, 3000)
}

// request sends a request with a JSON body, and returns its answer.
func request(t *testing.T, method string, p *process, path, body string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

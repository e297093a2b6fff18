package check

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// start runs a program from the environment variable, which make check-deploy sets, until the test ends.
func start(t *testing.T, variable string, args ...string) io.Reader {
	t.Helper()
	program := os.Getenv(variable)
	if program == "" {
		t.Fatalf("%s is not set: run make check-deploy", variable)
	}
	c := exec.Command(program, args...)
	c.Dir, c.Stderr = t.TempDir(), t.Output()
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil {
			t.Errorf("%s: %v", variable, err)
		}
	})
	return out
}

// startTicklane starts a server with streams that are compressed and a bus on NATS, and returns its address.
func startTicklane(t *testing.T) string {
	t.Helper()
	out := start(t, "TICKLANE", "serve", "--server.addr=127.0.0.1:0", "--stream.compress=on", "--bus.kind=nats", "--data.dir="+t.TempDir(), "--log.level=warn")
	line, err := bufio.NewReader(out).ReadString('\n')
	_, addr, ok := strings.Cut(strings.TrimSpace(line), "http://")
	if err != nil || !ok {
		t.Fatalf("the server prints %q, %v", line, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	for range 3 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/sse/subscribe", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Encoding", "gzip")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer resp.Body.Close()
			_, _ = io.Copy(io.Discard, resp.Body)
		}()
	}
	return addr
}

// startPrometheus starts Prometheus with deploy/prometheus/prometheus.yaml for a server, at a faster pace, and returns its URL.
func startPrometheus(t *testing.T, server string) string {
	t.Helper()
	dir := t.TempDir()
	for name, change := range map[string]*strings.Replacer{
		"prometheus.yaml": strings.NewReplacer("127.0.0.1:3000", server, "15s", "1s"),
		"rules.yaml":      strings.NewReplacer(),
	} {
		b, err := os.ReadFile("../prometheus/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(change.Replace(string(b))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	addr := freePort(t)
	start(t, "PROMETHEUS", "--config.file="+filepath.Join(dir, "prometheus.yaml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+addr, "--log.level=warn")
	return "http://" + addr
}

// get decodes the data of a response of Prometheus.
func get(address string, into any) error {
	resp, err := http.Get(address)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %w", resp.Status, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", resp.Status, answer.Error)
	}
	return json.Unmarshal(answer.Data, into)
}

// series returns the number of series of an expression.
func series(prometheus, expr string) (int, error) {
	var data struct{ Result []json.RawMessage }
	err := get(prometheus+"/api/v1/query?query="+url.QueryEscape(expr), &data)
	return len(data.Result), err
}

// rule is a rule as Prometheus reports it.
type rule struct{ Name, Type, Health, LastError, State string }

// rules returns all rules.
func rules(t *testing.T, prometheus string) (all []rule) {
	t.Helper()
	var data struct{ Groups []struct{ Rules []rule } }
	if err := get(prometheus+"/api/v1/rules", &data); err != nil {
		t.Fatal(err)
	}
	for _, g := range data.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// expressions returns those of the dashboard, by panel.
func expressions(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("../grafana/ticklane.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(b, &dashboard); err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	variables := strings.NewReplacer("$job", "ticklane", "$instance", ".*", "$__rate_interval", "30s")
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			all[p.Title] = append(all[p.Title], variables.Replace(target.Expr))
		}
	}
	return all
}

// TestPrometheus scrapes a server with the rules, and requests every expression of the dashboard.
func TestPrometheus(t *testing.T) {
	prometheus := startPrometheus(t, startTicklane(t))
	deadline := time.Now().Add(time.Minute)
	for ; ; time.Sleep(200 * time.Millisecond) {
		n, err := series(prometheus, `count({__name__=~"(lane|instance):.*"}) >= 6`) // a series of each rule at least
		if n > 0 && err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after a minute there are %d series, %v", n, err)
		}
	}
	for _, r := range rules(t, prometheus) {
		if r.Health != "ok" || r.State == "firing" {
			t.Errorf("%+v", r)
		}
		if r.Type == "recording" {
			if n, err := series(prometheus, r.Name); n == 0 || err != nil {
				t.Errorf("%s has %d series, %v", r.Name, n, err)
			}
		}
	}
	for title, all := range expressions(t) {
		for _, expr := range all {
			n, err := series(prometheus, expr)
			// This server has no feed of clients, no audit log and no delays.
			absent := strings.Contains(expr, "ticklane_feed_lines") || strings.Contains(expr, "ticklane_audit") || strings.Contains(expr, "ticklane_delayed") ||
				strings.Contains(expr, "ticklane_held")
			if err != nil || n == 0 && !absent {
				t.Errorf("panel %q has %d series, %v: %s", title, n, err, expr)
			}
		}
	}
}

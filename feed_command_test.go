//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ticklane/internal/adapter"
	"ticklane/internal/testkit"
)

func TestFeedFlags(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	token, key := file("token", "secret\n"), file("key", "k\ns\n")
	for _, is := range []struct {
		feed string
		o    feedOptions
		want string // part of the error
	}{
		{"binance", feedOptions{to: "http://h"}, "--symbols"},
		{"binance", feedOptions{symbols: "A", to: "h:3000"}, "--to"},
		{"binance", feedOptions{symbols: "A", to: "http://h", url: "http://h"}, "--url"},
		{"binance", feedOptions{symbols: "A", to: "http://h", rest: "ws://h"}, "--rest"},
		{"binance", feedOptions{symbols: "A", to: "http://h", tokenFile: filepath.Join(dir, "none")}, "--token-file"},
		{"binance", feedOptions{symbols: "A", to: "http://h", bars: true}, "--bars"},
		{"alpaca", feedOptions{symbols: "A", to: "http://h"}, "--key-file"},
		{"alpaca", feedOptions{symbols: "A", to: "http://h", keyFile: token}, "key and the secret"},
		{"kraken", feedOptions{symbols: "A", to: "http://h"}, `unknown feed "kraken"`},
	} {
		if _, err := is.o.check(is.feed); err == nil || !strings.Contains(err.Error(), is.want) {
			t.Errorf("%s %+v: %v, want %s", is.feed, is.o, err, is.want)
		}
	}
	o := feedOptions{symbols: "AAPL,MSFT", to: "https://h", tokenFile: token, keyFile: key, bars: true, url: "wss://x"}
	got, err := o.check("alpaca")
	if a, ok := got.Feed.(*adapter.Alpaca); err != nil || !ok || a.Key != "k" || a.Secret != "s" || !a.Bars || len(a.Names) != 2 || got.Token != "secret" || got.Source != "alpaca" || got.Address != "wss://x" {
		t.Errorf("options %+v, %v", got, err)
	}
}

// TestFeedReachesClients runs ticklane feed between a fake of Binance and a real server.
func TestFeedReachesClients(t *testing.T) {
	exchange := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") {
			fmt.Fprint(w, `{"symbols":[{"symbol":"BTCUSDT","baseAsset":"BTC","quoteAsset":"USDT","filters":[
				{"filterType":"PRICE_FILTER","tickSize":"0.01000000"},{"filterType":"LOT_SIZE","stepSize":"0.00010000"}]}]}`)
			return
		}
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for _, m := range []string{
			`{"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"64150.00000000","B":"0.00010000","a":"64150.25000000","A":"1.50000000"}}`,
			fmt.Sprintf(`{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","t":7,"p":"64150.25000000","q":"0.01320000","T":%d}}`, time.Now().UnixMilli()),
		} {
			if c.Write(r.Context(), websocket.MessageText, []byte(m)) != nil {
				return
			}
		}
		c.Read(context.Background()) // until the client closes
	}))
	defer exchange.Close()
	p := startServer(t, "--feed.source=ingest")
	o := feedOptions{symbols: "BTCUSDT", to: "http://" + p.addr, rest: exchange.URL, url: "ws" + strings.TrimPrefix(exchange.URL, "http")}
	options, err := o.check("binance")
	if err != nil {
		t.Fatal(err)
	}
	options.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- feed(ctx, options) }()
	body := func(path string) string {
		resp, err := http.Get(o.to + path)
		if err != nil {
			t.Error(err)
			return ""
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return string(text)
	}
	testkit.Eventually(t, func() bool { return strings.Contains(body("/api/quotes"), `"p":64150.25,"v":0.0132,`) }, "the trade")
	for path, want := range map[string]string{
		"/api/quotes":  `"S":"BTCUSDT","bp":64150.00,"bs":0.0001,"ap":64150.25,"as":1.5000,`,
		"/api/symbols": `"name":"BTC / USDT","sector":"crypto","value":0,"decimals":2,"size_decimals":4,"currency":"USDT","venue":"Binance"`,
	} {
		if got := body(path); !strings.Contains(got, want) {
			t.Errorf("GET %s: %s\nwant %s", path, got, want)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("feed: %v", err)
	}
}

// TestDocumentedFeed builds the program of docs/adapters.md and sends its quotes to a real server.
func TestDocumentedFeed(t *testing.T) {
	doc, err := os.ReadFile("docs/adapters.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(doc), "```go\n")
	code, _, found := strings.Cut(code, "```\n")
	if lines := strings.Count(code, "\n"); !found || lines > 65 {
		t.Fatalf("the program has %d lines, want about 50 without its imports", lines)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", "myfeed", "main.go")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	p := startServer(t, "--feed.source=ingest")
	program := exec.Command(filepath.Join(dir, "myfeed"), "-to", "http://"+p.addr)
	program.Stderr = t.Output()
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = program.Process.Kill()
		_ = program.Wait()
	}()
	testkit.Eventually(t, func() bool {
		resp, err := http.Get("http://" + p.addr + "/api/quotes")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		var v struct{ Quotes []struct{ N int } }
		return json.NewDecoder(resp.Body).Decode(&v) == nil && len(v.Quotes) == 1 && v.Quotes[0].N >= 3
	}, "three quotes")
}

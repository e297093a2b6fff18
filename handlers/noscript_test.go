package handlers_test

import (
	"compress/gzip"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/testkit/testserver"
)

var rowHead = regexp.MustCompile(`<tr><th scope="row">(\S+) <small>`)

func noscriptSymbols(body string) []string {
	found := []string{}
	for _, m := range rowHead.FindAllStringSubmatch(body, -1) {
		found = append(found, m[1])
	}
	return found
}

var lastPrice = regexp.MustCompile(`</small></th><td>([0-9.]+)</td>`)

// TestNoscriptList checks the table for browsers without scripts: pages of 50 quotes, filtered and sorted by the query.
func TestNoscriptList(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Symbols: 121, Deps: func(d *handlers.Deps) { d.Files = builtFiles() }})
	srv.Publish(360)
	get := func(query string) string {
		t.Helper()
		answer, body := srv.Get("/"+query, "Accept: text/html")
		if answer.Status != 200 {
			t.Fatalf("/%s: %d %s", query, answer.Status, body)
		}
		_, body, _ = strings.Cut(body, "<body>")
		body, _, ok := strings.Cut(body, `<div class="app"`)
		if !strings.Contains(body, "<noscript><section") || !ok {
			t.Fatalf("/%s: the table isn't first: %.300s", query, body)
		}
		return body
	}
	page := func(query string, rows int, first string) string {
		t.Helper()
		body := get(query)
		have := noscriptSymbols(body)
		if len(have) != rows || rows > 0 && have[0] != first {
			t.Errorf("/%s: %d rows, %.60q, want %d from %s", query, len(have), have, rows, first)
		}
		return body
	}
	links := func(query, body string, want ...string) {
		t.Helper()
		for _, w := range want {
			if no := strings.TrimPrefix(w, "!"); strings.Contains(body, no) == (no != w) {
				t.Errorf("/%s: %q", query, w)
			}
		}
	}

	links("", page("", 50, "S0"), `href="/?page=2"`, "!rel=\"prev\"", "120 symbols", `href="/?sort=-last"`, `href="/?sort=symbol"`, `href="/?sector=odd"`)
	links("?page=3", page("?page=3", 20, "S100"), `href="/?page=2"`, "!rel=\"next\"")
	links("?sector=odd", page("?sector=odd&page=2", 10, "S101"), "60 symbols", `aria-current="true">odd`, `href="/?sector=odd"`, `href="/?sector=odd&amp;sort=-ask"`)
	links("?q=", page("?q=test+7", 11, "S7"), "11 symbols", `sort=-bid`)
	links("?sort=symbol", page("?sort=symbol", 50, "S0"), `aria-sort="ascending"><a href="/?sort=-symbol"`)
	links("?sort=-symbol", page("?sort=-symbol", 50, "S99"), `aria-sort="descending"><a href="/"`)
	links("?q=zzz", page("?q=zzz", 0, ""), "No symbols.")
	// Invalid values are replaced by defaults.
	page("?sort=colour&sector=nowhere&page=99999999999999999999&symbol=X", 50, "S0")
	page("?page=-4", 50, "S0")
	page("?page=77", 20, "S100")
	links("?q=<", page("?q=%3Cscript%3E%22", 0, ""), "!<script", "%3Cscript%3E%22")
	get("?q=%ff%fe&sort=%00&lang=" + strings.Repeat("x", 3000))

	for sort, descending := range map[string]bool{"last": false, "-last": true} {
		prices := []string{}
		for _, m := range lastPrice.FindAllStringSubmatch(get("?sort="+sort), -1) {
			prices = append(prices, strings.Repeat("0", 12-len(m[1]))+m[1])
		}
		if descending {
			slices.Reverse(prices)
		}
		if len(prices) != 50 || !slices.IsSorted(prices) {
			t.Errorf("sorted by %s: %q", sort, prices)
		}
	}
}

func TestNoscriptListReloads(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Deps: func(d *handlers.Deps) { d.Files = builtFiles() }})
	const again = `<noscript><link rel="stylesheet" href="/static/noscript.css"><meta http-equiv="refresh" content="5"></noscript>`
	if _, body := srv.Get("/"); !strings.Contains(body, again) || !strings.Contains(body, `href="/?refresh=off"`) || !strings.Contains(body, "No symbols.") {
		t.Errorf("before the first tick: %.1500s", body)
	}
	if _, body := srv.Get("/?refresh=off&sector=odd"); strings.Contains(body, "http-equiv") || !strings.Contains(body, `<a href="/?sector=odd">Reload every`) {
		t.Errorf("refreshing isn't off: %.1500s", body)
	}
	if _, body := srv.Get("/compare"); strings.Contains(body, "http-equiv") || strings.Contains(body, "noscript-list") {
		t.Errorf("/compare has the list: %.500s", body)
	}
}

// TestNoscriptListUnbuilt checks that the table needs no bundle.
func TestNoscriptListUnbuilt(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
	srv.Publish(40)
	answer, body := srv.Get("/?sort=symbol")
	if have := noscriptSymbols(body); answer.Status != 503 || len(have) != 19 || have[1] != "S1" || !strings.Contains(body, "/static/noscript.css") {
		t.Errorf("%d, %q in %.500s", answer.Status, have, body)
	}
}

func TestPagesAreCompressed(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Deps: func(d *handlers.Deps) { d.Files = builtFiles() }})
	srv.Publish(40)
	_, want := srv.Get("/")
	answer, body := srv.Get("/", "Accept-Encoding: br, gzip")
	r, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	have, err := io.ReadAll(r)
	if err != nil || string(have) != want || len(body) > len(want)/2 {
		t.Errorf("%v, %d bytes of %d", err, len(body), len(want))
	}
	if answer.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(answer.Header.Get("Vary"), "Accept-Encoding") {
		t.Errorf("%v", answer.Header)
	}
}

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"ticklane/internal/testkit"
)

// TestCrossSitePage opens the example of docs/clients.md on a page of another site. Its stream is cut, and two requests for another
// one are refused: it gets a ticket for each and loses nothing.
func TestCrossSitePage(t *testing.T) {
	t.Parallel()
	var page string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>example</title>"+page)
	}))
	defer site.Close()
	at := strings.Replace(site.URL, "127.0.0.1", "localhost", 1)
	s, _, token := serveUsers(t, "--server.origins="+at)
	p := newRestartedProxy(t, s, nil)
	page = strings.NewReplacer("https://quotes.example.com", p.url, "tl_…", token).Replace(ticketExample(t))

	b := openTab(t)
	b.inject(recordNumbers)
	b.visit(at)
	b.until("ticks", "Object.values(numbers).flat().length > 5")
	close(p.cut)
	testkit.Eventually(t, func() bool { return p.streams.Load() == 4 }, "a fourth request for a stream")
	before := eval[int](b, "Object.values(numbers).flat().length")
	b.until("more ticks", "Object.values(numbers).flat().length > "+strconv.Itoa(before+5))
	if gaps := eval[string](b, "JSON.stringify(Object.entries(numbers).filter(([, n]) => n.some((v, k) => k > 0 && v !== n[k - 1] + 1)))"); gaps != "[]" {
		t.Errorf("ticks are lost or doubled: %s", gaps)
	}
}

// ticketExample returns the example of docs/clients.md that opens a stream with a ticket.
func ticketExample(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs/clients.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range fenced.FindAllStringSubmatch(string(text), -1) {
		if block[1] == "html" && strings.Contains(block[2], "/api/ticket") {
			return block[2]
		}
	}
	t.Fatal("docs/clients.md: no example with a ticket")
	return ""
}

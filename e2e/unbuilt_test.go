package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// bareBinary is the server as `go build` makes it in a fresh clone: of the browser code there is only the placeholder.
var unbuiltBinary = sync.OnceValues(func() (string, error) {
	replace := map[string]string{} // to nothing: the file isn't there
	built, err := filepath.Glob(filepath.Join(root, "public/assets/*"))
	if err != nil {
		return "", err
	}
	for _, path := range built {
		path, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		if filepath.Base(path) != "placeholder.txt" {
			replace[path] = ""
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(binary)
	name := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(name, overlay, 0o600); err != nil {
		return "", err
	}
	bare := filepath.Join(dir, "bare")
	return bare, build(bare, "-overlay", name)
})

// serveBare starts such a server.
func serveUnbuilt(t testing.TB) *server {
	t.Helper()
	bare, err := unbuiltBinary()
	if err != nil {
		t.Fatal(err)
	}
	return serveBinary(t, bare)
}

func TestUnbuiltPage(t *testing.T) {
	t.Parallel()
	s := serveUnbuilt(t)
	b := openTab(t)
	b.inject(violations)
	b.visit(s.url + "/")
	if have := b.text("h1"); have != "The server is running, but its pages are not built" {
		t.Errorf("heading %q", have)
	}
	if have := b.text("pre code"); have != "make assets" {
		t.Errorf("the command is %q, want make assets", have)
	}
	if have := b.requestsTo("/"); have[0].status != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503: nobody may keep this page", have[0].status)
	}
	checkViolations(b)
	for _, wrong := range eval[[]string](b, `[...document.styleSheets].length ? [] : ['no style']`) {
		t.Error(wrong)
	}
	// What it offers instead works.
	b.click("a[href='/sse/home']")
	b.until("ticks", `document.querySelectorAll('#messages li').length > 3`)
}

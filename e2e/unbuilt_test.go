package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"ticklane/internal/testkit/browsertest"
)

// unbuiltBinary builds the server as go build does in a fresh clone, where public/assets has only the placeholder. It returns
// its path.
var unbuiltBinary = sync.OnceValues(func() (string, error) {
	replace := map[string]string{} // "" hides a file from go build
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
	file := filepath.Join(dir, "ticklane-unbuilt")
	return file, browsertest.Build(root, file, "-overlay", name)
})

// serveUnbuilt starts a server without browser code.
func serveUnbuilt(t testing.TB) *server {
	t.Helper()
	path, err := unbuiltBinary()
	if err != nil {
		t.Fatal(err)
	}
	return serveBinary(t, path)
}

// checkBuildCommand fails the test unless a command bundles the browser code and then builds the binary, which embeds it.
func checkBuildCommand(t *testing.T, command string) {
	t.Helper()
	target, ok := strings.CutPrefix(command, "make ")
	if !ok {
		t.Fatalf("the command is %q, want make …", command)
	}
	cmd := exec.Command("make", "--dry-run", "--always-make", target)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	_, after, bundled := strings.Cut(string(out), "npm run")
	if !bundled || !strings.Contains(after, "go build -trimpath") {
		t.Errorf("%s does not run npm run build and then go build:\n%s", command, out)
	}
}

// TestUnbuiltPage: without browser code the page says how to build it, and links to pages that work.
func TestUnbuiltPage(t *testing.T) {
	t.Parallel()
	s := serveUnbuilt(t)
	b := openTab(t)
	b.inject(violations)
	b.visit(s.url + "/")
	if have := b.text("h1"); have != "The server is running, but its pages are not built" {
		t.Errorf("heading %q", have)
	}
	checkBuildCommand(t, b.text("pre code"))
	if have := b.requestsTo("/"); have[0].status != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503, which no cache keeps", have[0].status)
	}
	checkViolations(b)
	for _, wrong := range eval[[]string](b, `[...document.styleSheets].length ? [] : ['no style']`) {
		t.Error(wrong)
	}
	b.click("a[href='/sse/home']")
	b.until("ticks", `document.querySelectorAll('#messages li').length > 3`)
}

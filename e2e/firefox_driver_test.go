package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// firefox is a Firefox process with a new profile. It records what goes wrong in its pages.
type firefox struct {
	t testing.TB
	*bidi

	mu     sync.Mutex
	log    strings.Builder // of the process
	faults []string
}

// firefoxPrefs keep Firefox from opening other pages, from requests to its vendor, and from ending scripts that a busy machine makes
// slow.
const firefoxPrefs = `
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.page", 0);
user_pref("browser.newtabpage.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("dom.max_script_run_time", 0);
user_pref("dom.ipc.processHangMonitor", false);
`

// findFirefox returns the path of Firefox. Without it its tests fail.
func findFirefox() (string, error) {
	for _, name := range []string{"firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("Firefox not found: apt-get install firefox-esr, or https://www.firefox.com")
}

// startFirefox starts Firefox, which is stopped when the test ends.
func startFirefox(t testing.TB) *firefox {
	t.Helper()
	path, err := findFirefox()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "user.js"), []byte(firefoxPrefs), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-remote", "--profile", dir, "--remote-debugging-port", "0")
	cmd.Env = append(os.Environ(), "HOME="+dir, "MOZ_CRASHREPORTER_DISABLE=1")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f := &firefox{t: t}
	listening := make(chan string, 1)
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		for lines := bufio.NewReader(out); ; {
			line, err := lines.ReadString('\n')
			f.mu.Lock()
			f.log.WriteString(line)
			f.mu.Unlock()
			if _, url, ok := strings.Cut(strings.TrimSpace(line), "BiDi listening on "); ok {
				listening <- url
			}
			if err != nil { // every process of Firefox has exited
				cmd.Wait()
				return
			}
		}
	}()
	t.Cleanup(func() {
		if f.bidi == nil || f.call("browser.close", struct{}{}, nil) != nil {
			cmd.Process.Kill()
		}
		select {
		case <-exited:
		case <-time.After(timeout):
			t.Errorf("Firefox still running %s after it was closed", timeout)
			cmd.Process.Kill()
			<-exited
		}
		if f.bidi != nil {
			f.close()
		}
		if t.Failed() {
			t.Logf("Firefox: %s", f.log.String())
		}
	})
	select {
	case url := <-listening:
		if f.bidi, err = dialBidi(url, f.recordEvent, "log.entryAdded", "network.responseStarted", "network.fetchError"); err != nil {
			t.Fatal(err)
		}
	case <-exited:
		t.Fatal("Firefox has ended")
	case <-time.After(timeout):
		t.Fatalf("Firefox doesn't listen after %s", timeout)
	}
	return f
}

// recordEvent records an error or a warning in the console, and a failed request. A request that its page or a navigation
// cancels has not failed.
func (f *firefox) recordEvent(method string, params json.RawMessage) {
	var e struct {
		Level, Text, ErrorText string
		Request                struct{ URL string }
		Response               struct{ Status int }
	}
	if err := json.Unmarshal(params, &e); err != nil {
		e.Level, e.Text = "error", fmt.Sprintf("%s: %v", method, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case e.Level == "error" || e.Level == "warn":
		f.faults = append(f.faults, e.Level+": "+e.Text)
	case e.ErrorText != "" && e.ErrorText != "NS_BINDING_ABORTED":
		f.faults = append(f.faults, e.Request.URL+": "+e.ErrorText)
	case e.Response.Status >= 400:
		f.faults = append(f.faults, fmt.Sprintf("%s: status %d", e.Request.URL, e.Response.Status))
	}
}

// takeFaults returns what has gone wrong since the last call.
func (f *firefox) takeFaults() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	faults := f.faults
	f.faults = nil
	return faults
}

// firefoxTab is a tab of Firefox. Tabs share storage, cache, connections and worker.
type firefoxTab struct {
	document
	browser *firefox
	id      string
}

func (f *firefox) openTab() *firefoxTab {
	f.t.Helper()
	b := &firefoxTab{browser: f}
	b.document = document{f.t, b.evaluateJSON}
	var created struct{ Context string }
	f.must("browsingContext.create", map[string]any{"type": "tab"}, &created)
	b.id = created.Context
	b.size(1440, 900)
	return b
}

// must runs a command that the test can't continue without.
func (f *firefox) must(method string, params map[string]any, v any) {
	f.t.Helper()
	if err := f.call(method, params, v); err != nil {
		f.t.Fatal(err)
	}
}

// evaluateJSON is evaluate of the tab's document. Its script must be an expression.
func (b *firefoxTab) evaluateJSON(script string) (json.RawMessage, error) {
	var v struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails struct{ Text string }
	}
	err := b.browser.call("script.evaluate", map[string]any{
		"expression":   "(async () => JSON.stringify(await (" + script + ")) ?? 'null')()",
		"target":       map[string]any{"context": b.id},
		"awaitPromise": true,
	}, &v)
	if err == nil && v.ExceptionDetails.Text != "" {
		err = errors.New(v.ExceptionDetails.Text)
	}
	if err != nil {
		return nil, err
	}
	var text string
	err = json.Unmarshal(v.Result.Value, &text)
	return json.RawMessage(text), err
}

func (b *firefoxTab) visit(url string) {
	b.t.Helper()
	b.browser.must("browsingContext.navigate", map[string]any{"context": b.id, "url": url, "wait": "complete"}, nil)
}

// inject runs a script in every document that the tab loads from now on, before the document's own scripts.
func (b *firefoxTab) inject(script string) {
	b.t.Helper()
	b.browser.must("script.addPreloadScript", map[string]any{"functionDeclaration": "() => {" + script + "}", "contexts": []string{b.id}}, nil)
}

// size sets the viewport in CSS pixels.
func (b *firefoxTab) size(width, height int) {
	b.t.Helper()
	b.browser.must("browsingContext.setViewport", map[string]any{"context": b.id, "viewport": map[string]int{"width": width, "height": height}}, nil)
}

func (b *firefoxTab) bringToFront() {
	b.t.Helper()
	b.browser.must("browsingContext.activate", map[string]any{"context": b.id}, nil)
}

// closeTab closes the tab as its user does.
func (b *firefoxTab) closeTab() {
	b.t.Helper()
	b.browser.must("browsingContext.close", map[string]any{"context": b.id}, nil)
}

// click clicks the middle of an element with the mouse.
func (b *firefoxTab) click(selector string) {
	b.t.Helper()
	at := eval[[]int](b, `(() => { const e = document.querySelector(`+quoted(selector)+`); e.scrollIntoView({ block: 'nearest' });
		const r = e.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2].map(Math.floor); })()`)
	b.browser.must("input.performActions", map[string]any{"context": b.id, "actions": []any{map[string]any{
		"type": "pointer", "id": "mouse", "actions": []any{
			map[string]any{"type": "pointerMove", "x": at[0], "y": at[1]},
			map[string]any{"type": "pointerDown", "button": 0},
			map[string]any{"type": "pointerUp", "button": 0},
		},
	}}}, nil)
}

// screenshot returns what the viewport shows, as a PNG.
func (b *firefoxTab) screenshot() []byte {
	b.t.Helper()
	var picture struct{ Data []byte }
	b.browser.must("browsingContext.captureScreenshot", map[string]any{"context": b.id}, &picture)
	return picture.Data
}

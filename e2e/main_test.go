// Package e2e drives real browsers, and the clients of the documentation, against the real server.
//
// All tests share one server binary, and all but TestFirefox share one Chromium process. A test opens tabs in a separate
// browser context, so storage, cache, cookies and workers are separate, and starts the servers that it needs on free ports
// of loopback.
package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

const (
	// root is the module's folder, relative to this one.
	root = ".."

	// parallelTests is the default of -parallel. Tests wait for reconnects, heartbeats and backoffs most of their time, so
	// two cores have room for more than two of them.
	parallelTests = "4"
)

var (
	pictures = flag.String("pictures", "", "folder in which TestScenes and TestFirefox keep a screenshot of every scene and page")

	binary     string          // path of the server
	browserCtx context.Context // the browser; tabs are its children
)

func TestMain(m *testing.M) {
	flag.Parse()
	explicit := false
	flag.Visit(func(f *flag.Flag) { explicit = explicit || f.Name == "test.parallel" })
	if !explicit {
		if err := flag.Set("test.parallel", parallelTests); err != nil {
			panic(err)
		}
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

// run builds the server, starts the browser and runs the tests. It stops the browser and deletes both before it returns.
func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "ticklane-e2e")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if _, err := os.Stat(filepath.Join(root, "public/assets/manifest.json")); err != nil {
		return 0, fmt.Errorf("browser code not built: run make assets: %w", err)
	}
	binary = filepath.Join(dir, "ticklane")
	built := make(chan error, 1)
	go func() { built <- build(binary) }()

	path, err := findBrowser()
	if err != nil {
		return 0, err
	}
	alloc, free := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.WSURLReadTimeout(timeout), chromedp.WindowSize(1440, 900))...)
	defer free()
	ctx, stop := chromedp.NewContext(alloc)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		return 0, fmt.Errorf("start %s: %w", path, err)
	}
	browserCtx = ctx
	if err := <-built; err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// build builds the server with the flags of make build, and further ones, into a file.
func build(file string, flags ...string) error {
	args := append([]string{"build", "-trimpath", "-buildvcs=false", "-o", file}, flags...)
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// findBrowser returns the path of Chromium or Chrome. Without either no test can run, and all of them fail.
func findBrowser() (string, error) {
	for _, name := range []string{
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
		"/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("neither Chromium nor Chrome found: apt-get install chromium, or https://www.google.com/chrome")
}

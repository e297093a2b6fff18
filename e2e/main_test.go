// Package e2e drives a real browser against the real binary: what a person would see, and what a client would get.
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

// root is the module's folder as seen from this one.
const root = ".."

var (
	pictures = flag.String("pictures", "", "folder that TestPictures keeps its pictures in")

	binary  string          // the server, built once
	chromed context.Context // the browser; a tab is a child of it
)

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := prepare(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

// prepare builds the server, starts the browser, runs the tests and takes both away.
func prepare(run func() int) (int, error) {
	dir, err := os.MkdirTemp("", "ticklane-e2e")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if _, err := os.Stat(filepath.Join(root, "public/assets/manifest.json")); err != nil {
		return 0, fmt.Errorf("the browser code is not built; run 'make assets': %w", err)
	}
	binary = filepath.Join(dir, "ticklane")
	if err := build(binary); err != nil {
		return 0, err
	}
	path, err := findBrowser()
	if err != nil {
		return 0, err
	}
	alloc, free := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.WSURLReadTimeout(patience), chromedp.WindowSize(1440, 900))...)
	defer free()
	ctx, stop := chromedp.NewContext(alloc)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		return 0, fmt.Errorf("start %s: %w", path, err)
	}
	chromed = ctx
	return run(), nil
}

// build makes the binary with the flags of `make build`.
func build(to string, flags ...string) error {
	args := append([]string{"build", "-trimpath", "-buildvcs=false", "-o", to}, flags...)
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

func findBrowser() (string, error) {
	for _, name := range []string{
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
		"/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("neither Chromium nor Chrome is installed, which these tests drive: apt-get install chromium, or https://www.google.com/chrome")
}

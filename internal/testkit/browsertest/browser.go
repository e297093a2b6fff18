// Package browsertest builds the server and starts Chromium, for tests that drive a browser.
package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/chromedp/chromedp"
)

// disabledFeatures are chromedp's, and the pages of the address bar's menu, which the browser loads for each window, although no
// test types an address.
const disabledFeatures = "Translate,BlinkGenPropertyTrees,WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup"

// Start starts Chromium or Chrome with a profile in a directory. Tabs are children of ctx. stop ends the browser. A command of the
// DevTools protocol waits for the browser no longer than timeout. Without a browser no test can run, so the caller lets all of them fail.
func Start(profile string, timeout time.Duration, options ...chromedp.ExecAllocatorOption) (ctx context.Context, stop func(), err error) {
	path, err := find()
	if err != nil {
		return nil, nil, err
	}
	all := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-features", disabledFeatures), chromedp.WSURLReadTimeout(timeout))
	alloc, free := chromedp.NewExecAllocator(context.Background(), append(all, options...)...)
	ctx, closeBrowser := chromedp.NewContext(alloc)
	stop = func() {
		closeBrowser()
		free()
	}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		stop()
		return nil, nil, fmt.Errorf("start %s: %w", path, err)
	}
	return ctx, stop, nil
}

// find returns the path of the browser.
func find() (string, error) {
	for _, name := range []string{
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
		"/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("neither Chromium nor Chrome found: apt-get install chromium, or https://www.google.com/chrome")
}

// CheckAssets returns an error unless the browser code of the module in root is built.
func CheckAssets(root string) error {
	if _, err := os.Stat(filepath.Join(root, "public/assets/manifest.json")); err != nil {
		return fmt.Errorf("browser code not built: run make assets: %w", err)
	}
	return nil
}

// Build builds the server of the module in root with the flags of make build, and further ones, into a file.
func Build(root, file string, flags ...string) error {
	args := append([]string{"build", "-trimpath", "-buildvcs=false", "-o", file}, flags...)
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

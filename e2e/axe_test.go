package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// violation is a rule of axe-core that a page breaks.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string
		FailureSummary string
	}
}

// axeScript returns the source of axe-core.
func axeScript(t testing.TB) string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(root, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatalf("axe-core is missing: run make assets: %v", err)
	}
	return string(script)
}

// audit fails the test for each violation of WCAG 2.2 AA or of axe-core's best practices in the page as it is now.
func (b *tab) audit() {
	b.t.Helper()
	if !eval[bool](b, "'axe' in self") {
		b.run(axeScript(b.t))
	}
	for _, v := range eval[[]violation](b, `axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations)`) {
		for _, n := range v.Nodes {
			b.t.Errorf("%s: %s (%s)\n%s\n%s", v.Impact, v.Help, v.ID, n.HTML, n.FailureSummary)
		}
	}
}

// auditBothThemes audits the page as the system's preference changes from dark to light.
func (b *tab) auditBothThemes() {
	b.t.Helper()
	for _, theme := range []string{"dark", "light"} {
		b.colorScheme(theme)
		b.until(theme, `matchMedia('(prefers-color-scheme: `+theme+`)').matches`)
		b.audit()
	}
}

// TestAccessibility audits every page in both themes. TestScenes audits the states of the pages.
func TestAccessibility(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, path := range []string{"/", "/?panel=trades", "/compare", "/reports", "/cluster", "/docs", "/sse/home", "/ws/home", "/nothing"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			b := openTab(t)
			b.visit(s.url + path)
			if path == "/" || path == "/?panel=trades" {
				b.waitLive()
			}
			if path == "/?panel=trades" {
				b.until("trades", `document.querySelectorAll('#trades .trade').length > 3`)
			}
			if path == "/compare" {
				b.until("the first result", `document.querySelector('#figures th.side-b')?.textContent && document.querySelector('.byte-bar.side-b')?.ariaLabel`)
			}
			b.auditBothThemes()
			if path == "/" {
				b.press("?")
				b.auditBothThemes()
			}
		})
	}
}

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// violation is one rule of axe-core that a page breaks.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string
		FailureSummary string
	}
}

// No page may have a serious or critical violation of WCAG 2.2 AA or of axe-core's best practices.
func TestAccessibility(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile(filepath.Join(root, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatalf("axe-core is missing; run 'make assets': %v", err)
	}
	s := serve(t)
	for _, theme := range []string{"dark", "light"} {
		for _, path := range []string{"/", "/?panel=trades", "/compare", "/reports", "/docs", "/sse/home", "/ws/home", "/nothing"} {
			t.Run(theme+path, func(t *testing.T) {
				t.Parallel()
				b := openTab(t)
				b.colorScheme(theme)
				b.visit(s.url + path)
				if path == "/" || path == "/?panel=trades" {
					b.waitLive()
				}
				if path == "/?panel=trades" {
					b.until("trades", `document.querySelectorAll('#tape .trade').length > 3`)
				}
				b.audit(string(axe))
				if path == "/" {
					b.press("?")
					b.audit(string(axe))
				}
			})
		}
	}
}

// The states that people meet in trouble are held to the same, each in one of the themes. Not the page without scripts:
// axe is one.
func TestAccessibilityOfStates(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile(filepath.Join(root, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatalf("axe-core is missing; run 'make assets': %v", err)
	}
	p := sceneServers{server: serve(t), bare: serveUnbuilt(t)}
	for i, s := range scenes {
		if strings.HasPrefix(s.name, "no-scripts") || s.name == "dashboard" {
			continue // the dashboard is audited above
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			p := p
			p.net = newProxy(t, p.server)
			b := openTab(t)
			b.colorScheme([]string{"dark", "light"}[i%2])
			s.show(b, p)
			b.audit(string(axe))
		})
	}
}

func (b *tab) audit(axe string) {
	b.t.Helper()
	for _, v := range eval[[]violation](b, axe+`;axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations)`) {
		if v.Impact != "serious" && v.Impact != "critical" {
			b.t.Logf("%s: %s (%s)", v.Impact, v.Help, v.ID)
			continue
		}
		for _, n := range v.Nodes {
			b.t.Errorf("%s: %s (%s)\n%s\n%s", v.Impact, v.Help, v.ID, n.HTML, n.FailureSummary)
		}
	}
}

package metrics

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// names returns the names of all metrics with every source.
func names(t *testing.T) map[string]bool {
	t.Helper()
	log := testLog(t)
	of := Sources{Stream: log, Delayed: []Delayed{{Stream: log, Held: func() uint64 { return 0 }, Late: func() time.Duration { return 0 }}}}
	v := reflect.ValueOf(&of).Elem()
	for i := range v.NumField() { // a function that returns zero values
		if f := v.Field(i); f.Kind() == reflect.Func {
			f.Set(reflect.MakeFunc(f.Type(), func([]reflect.Value) (results []reflect.Value) {
				for j := range f.Type().NumOut() {
					results = append(results, reflect.Zero(f.Type().Out(j)))
				}
				return results
			}))
		}
	}
	all := map[string]bool{}
	for series := range scrape(t, of) {
		name, _, _ := strings.Cut(series, "{")
		all[name] = true
	}
	return all
}

var identifier = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)

// checkExpression checks that the metrics in a PromQL expression exist: those of the server, and those that rules record.
func checkExpression(t *testing.T, where, expr string, known, recorded map[string]bool) {
	t.Helper()
	found := 0
	for _, name := range identifier.FindAllString(expr, -1) {
		ours := strings.HasPrefix(name, "ticklane_") || strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_")
		switch {
		case strings.Contains(name, ":"):
			found++
			if !recorded[name] {
				t.Errorf("%s: no rule records %s", where, name)
			}
		case ours:
			found++
			if !known[name] && (runtime.GOOS == "linux" || !strings.HasPrefix(name, "process_")) {
				t.Errorf("%s: the server has no metric %s", where, name)
			}
		case name == "up":
			found++
		}
	}
	if found == 0 {
		t.Errorf("%s: no metric in %q", where, expr)
	}
}

// TestRulesUseMetricsOfTheServer checks the names in the rules for Prometheus, and that each alert says what to do.
func TestRulesUseMetricsOfTheServer(t *testing.T) {
	b, err := os.ReadFile("../../deploy/prometheus/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Record, Alert, Expr string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	known, recorded := names(t), map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			recorded[r.Record] = true
		}
	}
	rules := 0
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			rules++
			checkExpression(t, r.Record+r.Alert, r.Expr, known, recorded)
			if r.Alert != "" && (r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "") {
				t.Errorf("%s has no severity, summary or description", r.Alert)
			}
		}
	}
	if rules < 10 {
		t.Errorf("only %d rules", rules)
	}
}

// panel has what the tests need of a panel of Grafana.
type panel struct {
	ID          int
	Type, Title string
	GridPos     struct{ H, W, X, Y int }
	Targets     []struct{ Expr string }
}

func (p *panel) overlaps(q *panel) bool {
	a, b := p.GridPos, q.GridPos
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

// TestDashboardUsesMetricsOfTheServer checks the names and the layout of the dashboard for Grafana.
func TestDashboardUsesMetricsOfTheServer(t *testing.T) {
	b, err := os.ReadFile("../../deploy/grafana/ticklane.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Panels     []panel
		Templating struct {
			List []struct{ Type, Name, Definition string }
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	known := names(t)
	for _, v := range file.Templating.List {
		if v.Type == "query" {
			checkExpression(t, "variable "+v.Name, v.Definition, known, nil)
		}
	}
	for i := range file.Panels {
		p := &file.Panels[i]
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			checkExpression(t, "panel "+p.Title, target.Expr, known, nil)
		}
		for j := range i {
			if q := &file.Panels[j]; p.ID == q.ID || p.overlaps(q) {
				t.Errorf("panels %q and %q have one place or number", p.Title, q.Title)
			}
		}
	}
}

package check

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// TestDashboard decodes the dashboard strictly into Grafana's types, and validates it by their rules.
func TestDashboard(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	b, err := os.ReadFile("../grafana/ticklane.json")
	if err != nil {
		t.Fatal(err)
	}
	var strict, d dashboard.Dashboard
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{strict.UnmarshalJSONStrict(b), d.Validate()} {
		if err != nil && err.Error() != "" { // an empty list of errors isn't nil
			t.Error(err)
		}
	}
	if len(d.Panels) < 10 {
		t.Errorf("%d panels", len(d.Panels))
	}
	if again, err := json.Marshal(d); err != nil || !strings.Contains(string(again), "ticklane_connections") {
		t.Errorf("the queries are lost: %v", err)
	}
}

package check

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// TestCompose loads the file as docker compose does, with its schema, and checks what keeps the containers apart.
func TestCompose(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"../compose/compose.yaml", "../compose/access.yaml"}, cli.WithEnv([]string{"SITE=quotes.example.com"}))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ticklane", "caddy"} {
		s, ok := project.Services[name]
		if !ok {
			t.Fatalf("no service %s", name)
		}
		if !s.ReadOnly || !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged {
			t.Errorf("%s has more rights than it needs", name)
		}
	}
	server, proxy := project.Services["ticklane"], project.Services["caddy"]
	if len(server.Ports) > 0 || len(server.CapAdd) > 0 {
		t.Errorf("the server is published: %v %v", server.Ports, server.CapAdd)
	}
	if got := server.Environment["TICKLANE_SERVER_HOSTS"]; got == nil || *got != "quotes.example.com" {
		t.Error("SITE isn't the server's name")
	}
	if d := proxy.DependsOn["ticklane"]; d.Condition != types.ServiceConditionHealthy {
		t.Errorf("the proxy starts when the server is %q", d.Condition)
	}
	pool := project.Networks["proxy"].Ipam.Config
	trusted := server.Environment["TICKLANE_SERVER_TRUSTED_PROXIES"]
	if len(pool) != 1 || trusted == nil || pool[0].Subnet != *trusted {
		t.Errorf("the server trusts another network than that of the proxy: %v", pool)
	}
	if p, err := netip.ParsePrefix(*trusted); err != nil || !p.Addr().IsPrivate() {
		t.Errorf("%v, %v", p, err)
	}
}

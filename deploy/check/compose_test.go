package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// load returns the project of files below deploy/compose, as docker compose does, with its schema. It checks that it has these services,
// and that they have no more rights than they need.
func load(t *testing.T, environ, services []string, files ...string) *types.Project {
	t.Helper()
	for i := range files {
		files[i] = "../compose/" + files[i]
	}
	options, err := cli.NewProjectOptions(files, cli.WithEnv(environ))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if names := project.ServiceNames(); !slices.Equal(names, services) {
		t.Fatalf("services %v, want %v", names, services)
	}
	for name, s := range project.Services {
		if !s.ReadOnly || !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged {
			t.Errorf("%s has more rights than it needs", name)
		}
		if name != "caddy" && (len(s.Ports) > 0 || len(s.CapAdd) > 0) {
			t.Errorf("%s is published: %v %v", name, s.Ports, s.CapAdd)
		}
	}
	return project
}

// TestCompose checks what keeps the containers apart.
func TestCompose(t *testing.T) {
	project := load(t, []string{"SITE=quotes.example.com"}, []string{"caddy", "ticklane"}, "compose.yaml", "access.yaml")
	server, proxy := project.Services["ticklane"], project.Services["caddy"]
	if got := server.Environment["TICKLANE_SERVER_HOSTS"]; got == nil || *got != "quotes.example.com" {
		t.Error("SITE isn't the server's name")
	}
	if d := proxy.DependsOn["ticklane"]; d.Condition != types.ServiceConditionHealthy {
		t.Errorf("the proxy starts when the server is %q", d.Condition)
	}
	checkTrust(t, project, server)
}

// checkTrust checks that a server trusts the network of the proxy and no other.
func checkTrust(t *testing.T, project *types.Project, server types.ServiceConfig) {
	t.Helper()
	pool := project.Networks["proxy"].Ipam.Config
	trusted := server.Environment["TICKLANE_SERVER_TRUSTED_PROXIES"]
	if len(pool) != 1 || trusted == nil || pool[0].Subnet != *trusted {
		t.Errorf("the server trusts another network than that of the proxy: %v", pool)
	}
	if p, err := netip.ParsePrefix(*trusted); err != nil || !p.Addr().IsPrivate() {
		t.Errorf("%v, %v", p, err)
	}
}

// TestComposeCluster checks the three nodes and the three NATS servers.
func TestComposeCluster(t *testing.T) {
	services := []string{"caddy", "nats-1", "nats-2", "nats-3", "ticklane-1", "ticklane-2", "ticklane-3"}
	project := load(t, []string{"SITE=quotes.example.com", "NATS_PASSWORD=abc"}, services, "cluster.yaml")
	if !project.Networks["nats"].Internal {
		t.Error("NATS is on a network with a way out")
	}
	on := func(s types.ServiceConfig) []string { return s.NetworksByPriority() }
	proxy := project.Services["caddy"]
	if got := on(proxy); !slices.Equal(got, []string{"proxy"}) {
		t.Errorf("the proxy is on %v", got)
	}
	stores := map[string]bool{}
	for i := 1; i <= 3; i++ {
		nats, node := project.Services[fmt.Sprint("nats-", i)], project.Services[fmt.Sprint("ticklane-", i)]
		if got := on(nats); !slices.Equal(got, []string{"nats"}) {
			t.Errorf("%s is on %v", nats.Name, got)
		}
		arguments := strings.Join(nats.Command, " ")
		for j := 1; j <= 3; j++ {
			if !strings.Contains(arguments, fmt.Sprintf("nats://route:abc@nats-%d:6222", j)) || !strings.Contains(*node.Environment["TICKLANE_BUS_NATS_URL"], fmt.Sprintf("nats://ticklane:abc@nats-%d:4222", j)) {
				t.Errorf("%s or %s doesn't know nats-%d", nats.Name, node.Name, j)
			}
		}
		if !strings.Contains(arguments, "--name "+nats.Name+" ") {
			t.Errorf("%s has the arguments %s", nats.Name, arguments)
		}
		if name := node.Environment["TICKLANE_BUS_NODE"]; name == nil || *name != node.Name {
			t.Errorf("%s has the name %v", node.Name, name)
		}
		if d := node.DependsOn[nats.Name]; d.Condition != types.ServiceConditionHealthy {
			t.Errorf("%s starts when %s is %q", node.Name, nats.Name, d.Condition)
		}
		if server := *proxy.Environment["SERVER"]; !strings.Contains(server, node.Name+":3000") {
			t.Errorf("the proxy sends to %s only", server)
		}
		for _, s := range []types.ServiceConfig{nats, node} {
			for _, v := range s.Volumes {
				if v.Type == types.VolumeTypeVolume {
					stores[v.Source] = true
				}
			}
		}
		checkTrust(t, project, node)
	}
	if len(stores) != 6 {
		t.Errorf("the volumes are %v, want one for each", stores)
	}
}

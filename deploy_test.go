package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.yaml.in/yaml/v3"

	"ticklane/internal/config"
)

// readText returns a file of the repository.
func readText(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// readYAML decodes a file of the repository with one document.
func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(readText(t, name)), into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// matches returns the first groups of all matches of a pattern in a file.
func matches(t *testing.T, name, pattern string) []string {
	t.Helper()
	var all []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(readText(t, name), -1) {
		all = append(all, m[1])
	}
	if len(all) == 0 {
		t.Fatalf("%s: no match of %s", name, pattern)
	}
	return all
}

// settingsOf checks that environ, of the file with this name, has valid settings, and returns them with the defaults. The files that
// an administrator has to make exist, but are empty.
func settingsOf(t *testing.T, name string, environ []string) config.Config {
	t.Helper()
	for i, e := range environ {
		key, value, _ := strings.Cut(e, "=")
		for _, dir := range []string{"%d/", "/etc/", "/access/"} {
			if file, ok := strings.CutPrefix(value, dir); ok {
				value = filepath.Join(t.TempDir(), filepath.Base(file))
				if err := os.WriteFile(value, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				environ[i] = key + "=" + value
			}
		}
	}
	cfg, err := config.Load(nil, environ, "")
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return cfg
}

// composeFile has what the tests need of deploy/compose/compose.yaml.
type composeFile struct {
	Services map[string]struct {
		Environment map[string]string
		Grace       string `yaml:"stop_grace_period"`
	}
}

// composeSettings returns the settings of compose files with the defaults of their variables, and the time to end.
func composeSettings(t *testing.T, overrides ...string) (cfg config.Config, grace time.Duration) {
	t.Helper()
	return composeService(t, "ticklane", append([]string{"compose.yaml"}, overrides...)...)
}

// composeService is composeSettings for a service of some files.
func composeService(t *testing.T, service string, files ...string) (cfg config.Config, grace time.Duration) {
	t.Helper()
	variable, required := regexp.MustCompile(`\$\{\w+:-([^}]*)\}`), regexp.MustCompile(`\$\{\w+\}`) // with and without a default
	environ := imageEnvironment(t)
	for _, name := range files {
		var f composeFile
		readYAML(t, "deploy/compose/"+name, &f)
		s := f.Services[service]
		for k, v := range s.Environment {
			environ = append(environ, k+"="+required.ReplaceAllString(variable.ReplaceAllString(v, "$1"), "secret"))
		}
		if s.Grace != "" {
			var err error
			if grace, err = time.ParseDuration(s.Grace); err != nil {
				t.Errorf("%s: stop_grace_period: %v", name, err)
			}
		}
	}
	return settingsOf(t, "deploy/compose", environ), grace
}

// imageEnvironment returns the variables that the image sets.
func imageEnvironment(t *testing.T) []string {
	t.Helper()
	return matches(t, "deploy/Dockerfile", `(?m)^(?:ENV| {3}) (TICKLANE_\w+=\S+)`)
}

// Drop-ins are read in the order of their names, and each must leave the others their ports.
func TestUnitMayListen(t *testing.T) {
	for _, dropins := range [][]string{nil, {"access.conf"}, {"expose.conf"}, {"access.conf", "expose.conf"}} {
		var allowed []string
		for _, name := range append([]string{"ticklane.service"}, dropins...) {
			for _, v := range matches(t, "deploy/systemd/"+name, `(?m)^SocketBindAllow=(.*)`) {
				if allowed = append(allowed, v); v == "" {
					allowed = nil // an empty value drops all earlier ones
				}
			}
		}
		server := unitSettings(t, dropins...).Server
		for _, addr := range []string{server.Addr, server.AdminAddr} {
			if _, port, _ := strings.Cut(addr, ":"); port != "" && !slices.Contains(allowed, "tcp:"+port) {
				t.Errorf("%v: %s isn't among %v", dropins, addr, allowed)
			}
		}
	}
}

// unitSettings returns the settings of systemd's unit, with those of drop-ins.
func unitSettings(t *testing.T, dropins ...string) config.Config {
	t.Helper()
	var environ []string
	for _, name := range append([]string{"ticklane.service"}, dropins...) {
		for _, v := range matches(t, "deploy/systemd/"+name, `(?m)^Environment=(.*)`) {
			environ = append(environ, strings.NewReplacer("%S", "/var/lib", "%L", "/var/log").Replace(v))
		}
	}
	return settingsOf(t, "deploy/systemd/"+strings.Join(dropins, ", "), environ)
}

// podSettings returns the settings of the Kubernetes base with the changes of overlays, and the time that a pod has to end.
func podSettings(t *testing.T, overlays ...string) (config.Config, time.Duration) {
	t.Helper()
	environ := append(imageEnvironment(t), matches(t, "deploy/kubernetes/base/settings.env", `(?m)^(\w+=.*)`)...)
	var grace int
	for _, overlay := range append([]string{"base"}, overlays...) {
		var d struct {
			Spec struct {
				Template struct {
					Spec struct {
						Grace      int `yaml:"terminationGracePeriodSeconds"`
						Containers []struct {
							Env []struct{ Name, Value string }
						}
					}
				}
			}
		}
		readYAML(t, "deploy/kubernetes/"+overlay+"/deployment.yaml", &d)
		pod := d.Spec.Template.Spec
		grace = max(grace, pod.Grace)
		for _, e := range pod.Containers[0].Env {
			environ = append(environ, e.Name+"="+e.Value)
		}
	}
	return settingsOf(t, "deploy/kubernetes", environ), time.Duration(grace) * time.Second
}

// TestDeploySettings checks that every file in deploy/ has valid settings.
func TestDeploySettings(t *testing.T) {
	if cfg := settingsOf(t, "deploy/Dockerfile", imageEnvironment(t)); cfg.Server.Addr != ":3000" || cfg.Log.Format != "json" {
		t.Errorf("deploy/Dockerfile: %+v", cfg.Server)
	}
	if cfg, _ := composeSettings(t); !slices.Equal(cfg.Server.Hosts, []string{"localhost"}) || len(cfg.Server.TrustedProxies) != 1 || cfg.Data.Dir != "/data" {
		t.Errorf("deploy/compose: %+v %+v", cfg.Server, cfg.Data)
	}
	if cfg, _ := podSettings(t); cfg.Server.DrainDelay == 0 || len(cfg.Server.TrustedProxies) != 1 {
		t.Errorf("deploy/kubernetes: %+v", cfg.Server)
	}
	if cfg := unitSettings(t); cfg.Data.Dir != "/var/lib/ticklane" {
		t.Errorf("deploy/systemd: %+v", cfg.Data)
	}
	for name, cfg := range clusterSettings(t) {
		if b := cfg.Bus; b.Kind != "nats" || b.NATS.Replicas != 3 || strings.Count(b.NATS.URL, ":4222") != 3 || cfg.Data.Dir != "/data" || cfg.Server.DrainDelay == 0 || !b.Lead {
			t.Errorf("%s: %+v %+v", name, b, cfg.Data)
		}
	}
	composed, _ := composeSettings(t, "access.yaml")
	pod, _ := podSettings(t, "access")
	for name, cfg := range map[string]config.Config{"systemd": unitSettings(t, "access.conf"), "compose": composed, "kubernetes": pod} {
		if cfg.Auth.Mode != "token" || cfg.Auth.Tokens == "" || cfg.Auth.SessionKeyFile == "" || cfg.Auth.Revocations == "" || cfg.Audit.File == "" {
			t.Errorf("%s with access: %+v %+v", name, cfg.Auth, cfg.Audit)
		}
	}
	if cfg := unitSettings(t, "expose.conf", "access.conf"); cfg.Server.Addr != ":443" || cfg.Server.TLSCert == "" {
		t.Errorf("deploy/systemd/expose.conf: %+v", cfg.Server)
	}
}

// clusterSettings returns the settings of the nodes of both clusters.
func clusterSettings(t *testing.T) map[string]config.Config {
	t.Helper()
	all := map[string]config.Config{}
	all["deploy/kubernetes/cluster"], _ = podSettings(t, "cluster")
	for i := 1; i <= 3; i++ {
		name := fmt.Sprint("ticklane-", i)
		if all[name], _ = composeService(t, name, "cluster.yaml"); all[name].Bus.Node != name {
			t.Errorf("the name of %s is %s", name, all[name].Bus.Node)
		}
	}
	return all
}

// TestNATSConfiguration checks the files for NATS servers, with NATS's own parser.
func TestNATSConfiguration(t *testing.T) {
	t.Setenv("NATS_PASSWORD", "p0123456789abcdef")
	const composed, pods = "deploy/compose/nats.conf", "deploy/kubernetes/cluster/nats.conf"
	if readText(t, composed) != readText(t, pods) {
		t.Errorf("%s and %s differ", composed, pods)
	}
	o, err := server.ProcessConfigFile(composed)
	if err != nil {
		t.Fatal(err)
	}
	if !o.JetStream || !o.SyncAlways || o.StoreDir != "/data" || o.Username != "ticklane" || o.Password != "p0123456789abcdef" || o.Cluster.Username == "" || o.Cluster.Password == "" {
		t.Errorf("%+v", o)
	}
	for name, cfg := range clusterSettings(t) {
		if int64(cfg.Bus.NATS.MaxBytes) > o.JetStreamMaxStore*3/4 {
			t.Errorf("%s: bus.nats.max_bytes %d leaves no space of %d", name, cfg.Bus.NATS.MaxBytes, o.JetStreamMaxStore)
		}
	}
	var f composeFile
	readYAML(t, "deploy/compose/cluster.yaml", &f)
	grace, err := time.ParseDuration(f.Services["nats-1"].Grace)
	if need := o.LameDuckDuration + o.LameDuckGracePeriod; err != nil || grace < need+10*time.Second {
		t.Errorf("compose kills NATS after %v (%v), and it needs %v", grace, err, need)
	}
}

// TestDeployStopTimes checks that no system kills a server before it has drained.
func TestDeployStopTimes(t *testing.T) {
	unit, err := time.ParseDuration(matches(t, "deploy/systemd/ticklane.service", `(?m)^TimeoutStopSec=(.*)`)[0])
	if err != nil {
		t.Fatal(err)
	}
	compose, composeGrace := composeSettings(t)
	pod, podGrace := podSettings(t)
	node, nodeGrace := composeService(t, "ticklane-2", "cluster.yaml")
	for name, c := range map[string]struct {
		cfg   config.Config
		grace time.Duration
	}{"systemd": {unitSettings(t), unit}, "compose": {compose, composeGrace}, "kubernetes": {pod, podGrace}, "cluster": {node, nodeGrace}} {
		if need := c.cfg.Server.DrainDelay + c.cfg.Server.ShutdownTimeout + 5*time.Second; c.grace < need {
			t.Errorf("%s kills the server after %v, want at least %v", name, c.grace, need)
		}
	}
}

// TestDeployYAML checks that every YAML file in deploy/ can be parsed and has no key twice.
func TestDeployYAML(t *testing.T) {
	files := map[string]bool{}
	for _, pattern := range []string{"deploy/*/*.yaml", "deploy/*/*/*.yaml", ".goreleaser.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %q, %v", pattern, names, err)
		}
		for _, name := range names {
			files[name] = true
		}
	}
	for name := range maps.Keys(files) {
		d := yaml.NewDecoder(strings.NewReader(readText(t, name)))
		for {
			var doc any
			if err := d.Decode(&doc); err != nil {
				if err.Error() != "EOF" {
					t.Errorf("%s: %v", name, err)
				}
				break
			}
		}
	}
}

// TestBuildFlags checks that the image and the releases are built as make build does, so that all have the same binary.
func TestBuildFlags(t *testing.T) {
	for _, name := range []string{"Makefile", "deploy/Dockerfile", ".goreleaser.yaml"} {
		text := readText(t, name)
		for _, flag := range []string{"CGO_ENABLED=0", "-trimpath", "-buildvcs=false", "-s -w -X main.version="} {
			if !strings.Contains(text, flag) {
				t.Errorf("%s builds without %s", name, flag)
			}
		}
	}
}

// TestImageHasEmbeddedFiles checks that the image's build gets what main embeds: .dockerignore excludes what it doesn't name.
func TestImageHasEmbeddedFiles(t *testing.T) {
	sent := matches(t, ".dockerignore", `(?m)^!(.*)`)
	for _, line := range matches(t, "main.go", `(?m)^//go:embed (.*)`) {
		for _, name := range strings.Fields(line) {
			if !slices.Contains(sent, name) {
				t.Errorf("main.go embeds %s, which .dockerignore keeps out of the image's build", name)
			}
		}
	}
	// The browser code has documents as files.
	copied := strings.Fields(strings.Join(matches(t, "deploy/Dockerfile", `(?m)^COPY (docs/.*)`), " "))
	scripts, _ := filepath.Glob("web/*.js")
	deeper, _ := filepath.Glob("web/*/*/*.js")
	documents := 0
	for _, name := range append(scripts, deeper...) {
		for _, m := range regexp.MustCompile(`from '[./]*(docs/[\w./-]+)'`).FindAllStringSubmatch(readText(t, name), -1) {
			documents++
			if !slices.Contains(sent, m[1]) || !slices.Contains(copied, m[1]) {
				t.Errorf("%s has %s, which the image's build lacks: add it to .dockerignore and deploy/Dockerfile", name, m[1])
			}
		}
	}
	if documents < 2 {
		t.Errorf("%d documents in web: the test looks in the wrong directory", documents)
	}
}

// TestLogrotateFile: what logrotate rotates is the audit log of the drop-in.
func TestLogrotateFile(t *testing.T) {
	want := strings.Replace(unitSettings(t, "access.conf").Audit.File, "%L", "/var/log", 1)
	if got := matches(t, "deploy/logrotate.conf", `(?m)^(/\S+) \{$`); len(got) != 1 || got[0] != want {
		t.Errorf("%v, want %s", got, want)
	}
}

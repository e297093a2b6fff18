//go:build proxies && linux

package proxies

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// proxy is a proxy under test.
type proxy struct {
	name   string // of the test
	base   string // server.base_path
	checks bool   // it checks /readyz itself
	// start starts it in a folder, so that it listens on the port and forwards to the backend.
	start func(t testing.TB, dir string, port, backend int)
}

var all = []proxy{
	{name: "nginx", start: startNginx("nginx.conf")},
	{name: "nginx below a path", base: "/quotes", start: startNginx("nginx-base-path.conf")},
	{name: "haproxy", checks: true, start: startHAProxy},
	{name: "caddy", checks: true, start: startCaddy},
	{name: "apache", checks: true, start: startApache},
	{name: "varnish", checks: true, start: startVarnish},
}

// shipped writes a file of this folder with the test's addresses and certificate, and pairs of further replacements, to a
// folder. It returns the new file's path. Each text to replace must be in the file.
func shipped(t testing.TB, dir, name string, backend int, pairs ...string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(strings.ReplaceAll(string(b), "/etc/ssl/quotes", certs), "127.0.0.1:3000", "127.0.0.1:"+strconv.Itoa(backend))
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s has no %q", name, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return write(t, dir, name, text)
}

func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func startNginx(file string) func(t testing.TB, dir string, port, backend int) {
	return func(t testing.TB, dir string, port, backend int) {
		site := shipped(t, dir, file, backend, "listen 443 ssl", fmt.Sprintf("listen 127.0.0.1:%d ssl", port))
		user := ""
		if os.Geteuid() == 0 {
			user = "user root;\n"
		}
		temp := ""
		for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			temp += fmt.Sprintf("%s_temp_path %s/%[1]s;\n", name, dir)
		}
		main := write(t, dir, "main.conf", user+"daemon off;\npid "+dir+"/pid;\nerror_log stderr;\nworker_processes 1;\nevents {}\nhttp {\naccess_log off;\n"+temp+"include "+site+";\n}\n")
		start(t, dir, "nginx", "-p", dir, "-e", "stderr", "-c", main)
	}
}

func startHAProxy(t testing.TB, dir string, port, backend int) {
	start(t, dir, "haproxy", "-db", "-f", shipped(t, dir, "haproxy.cfg", backend, "bind :443 ", fmt.Sprintf("bind 127.0.0.1:%d ", port), "maxconn 50000", "maxconn 400"))
}

func startCaddy(t testing.TB, dir string, port, backend int) {
	file := shipped(t, dir, "Caddyfile", backend, host+" {\n",
		fmt.Sprintf("{\n\tadmin off\n\tauto_https disable_redirects\n}\nhttps://%s:%d {\n\tbind 127.0.0.1\n\ttls %s/fullchain.pem %[3]s/privkey.pem\n", host, port, certs))
	start(t, dir, "caddy", "run", "--adapter", "caddyfile", "--config", file)
}

// apacheModules are those of the comment in apache.conf, and what Debian enables by default.
var apacheModules = []string{"mpm_event", "authz_core", "setenvif", "filter", "ssl", "socache_shmcb", "http2", "headers", "deflate", "proxy", "proxy_http",
	"proxy_balancer", "slotmem_shm", "lbmethod_byrequests", "watchdog", "proxy_hcheck"}

func startApache(t testing.TB, dir string, port, backend int) {
	site := shipped(t, dir, "apache.conf", backend, "*:443", fmt.Sprintf("127.0.0.1:%d", port))
	var b strings.Builder
	for _, name := range apacheModules {
		file := "/usr/lib/apache2/modules/mod_" + name + ".so"
		if _, err := os.Stat(file); err == nil { // others are built in
			fmt.Fprintf(&b, "LoadModule %s_module %s\n", name, file)
		}
	}
	fmt.Fprintf(&b, "ServerName %s\nListen 127.0.0.1:%d\nPidFile %s/pid\nDefaultRuntimeDir %[3]s\nMutex file:%[3]s\nErrorLog /dev/stderr\nInclude %[4]s\n", host, port, dir, site)
	start(t, dir, "apache2", "-d", dir, "-f", write(t, dir, "httpd.conf", b.String()), "-DFOREGROUND")
}

func startVarnish(t testing.TB, dir string, port, backend int) {
	inner := freePort(t)
	vcl := shipped(t, dir, "varnish.vcl", backend, `.port = "3000"`, fmt.Sprintf(`.port = "%d"`, backend))
	start(t, dir, "varnishd", "-F", "-j", "none", "-n", filepath.Join(dir, "varnish"), "-f", vcl, "-s", "default,32m",
		"-a", fmt.Sprintf("127.0.0.1:%d,PROXY", inner), "-p", "feature=+http2", "-p", "thread_pool_min=20", "-p", "pipe_timeout=60")
	hitch := shipped(t, dir, "hitch.conf", backend, "[*]:443", fmt.Sprintf("[127.0.0.1]:%d", port), "[127.0.0.1]:6086", fmt.Sprintf("[127.0.0.1]:%d", inner))
	start(t, dir, "hitch", "--config="+hitch, "--workers=1", "--user=root")
}

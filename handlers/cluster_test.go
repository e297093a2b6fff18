package handlers_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/cluster"
	"ticklane/internal/testkit/testserver"
)

// withNodes gives a server a list of two nodes.
func withNodes(d *handlers.Deps) {
	d.Cluster = func(after int64) cluster.View {
		v := cluster.View{Bus: "nats", Self: "a", Connected: true, Now: 9_000_000, Writer: "b", Changes: []cluster.Change{{At: 5_000_000, Node: "b", Term: 7}}}
		v.Differences = []cluster.Difference{{Setting: "limits.topics", Here: "1", Node: "b", There: "2", Effect: "less"}}
		for _, name := range []string{"a", "b"} {
			n := cluster.Node{Report: cluster.Report{Name: name, Role: cluster.RoleReader, Epoch: "e", Head: 10}, State: cluster.StateUp, Self: name == "a", Points: []cluster.Point{}}
			for at := int64(1_000_000); at < v.Now; at += 1_000_000 {
				if at > after {
					n.Points = append(n.Points, cluster.Point{At: at, P50: 300, P99: 900})
				}
			}
			v.Nodes = append(v.Nodes, n)
		}
		return v
	}
}

func TestClusterListsNodes(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t, testserver.Options{Deps: withNodes})
	d := newAPIChecker(t, "openapi")
	for query, points := range map[string]int{"": 0, "?since=0": 8, "?since=5000000": 3} {
		text := d.try(srv, d.operations(), attempt{id: "cluster", path: "/api/cluster" + query, status: 200})
		var v cluster.View
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%s %d %v %d %v", v.Writer, len(v.Nodes), v.Nodes[0].Self, len(v.Nodes[1].Points), v.Changes); got != fmt.Sprintf("b 2 true %d [{5000000 b 7}]", points) {
			t.Errorf("%s: %s\n%s", query, got, text)
		}
	}
	for _, query := range []string{"?since=-1", "?since=soon", "?after=1"} {
		c, body := srv.Get("/api/cluster" + query)
		wantProblem(t, c, body, 400)
	}
}

// TestNavigationToTheCluster checks who finds the page of the nodes, and what it shows on a server that is alone.
func TestNavigationToTheCluster(t *testing.T) {
	t.Parallel()
	const link, table, alone = `href="/cluster"`, `id="nodes"`, "--bus.kind nats"
	with := func(more func(*handlers.Deps)) *testserver.Server {
		return newTestServer(t, testserver.Options{Deps: func(d *handlers.Deps) { d.Files = filesWithBundles(); more(d) }})
	}
	wantPage := func(srv *testserver.Server, path, token string, parts ...bool) {
		t.Helper()
		c, page := srv.Get(path, withToken(token), "Accept: text/html")
		if c.Status != 200 {
			t.Fatalf("%s: %d", path, c.Status)
		}
		for i, text := range []string{link, table, alone} {
			if strings.Contains(page, text) != parts[i] {
				t.Errorf("%s of %s has %s: %v, want %v", path, token, text, !parts[i], parts[i])
			}
		}
	}
	single := with(func(*handlers.Deps) {})
	wantPage(single, "/", "", false, false, false)
	wantPage(single, "/cluster", "", true, false, true)
	nodes := with(func(d *handlers.Deps) { withNodes(d); d.Auth = testTokens(t) })
	wantPage(nodes, "/", "admin", true, false, false)
	wantPage(nodes, "/", "reader", false, false, false)
	wantPage(nodes, "/docs", "admin", true, false, false)
	wantPage(nodes, "/cluster", "metrics", true, true, false)
	c, body := nodes.Get("/cluster", withToken("reader"))
	wantProblem(t, c, body, 403)

	srv, admin := newAdminServer(t, testserver.Options{Deps: func(d *handlers.Deps) { withNodes(d); d.Files = filesWithBundles() }}, onLoopback)
	wantPage(srv, "/", "", false, false, false)
	wantPage(admin, "/cluster", "", true, true, false)
	if c, page := admin.Get("/cluster"); strings.Contains(page, `href="/compare"`) || c.Status != 200 {
		t.Errorf("the page of the admin address has links to others: %d", c.Status)
	}
}

func TestClusterNeedsTheRightToMetrics(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t, testserver.Options{Deps: func(d *handlers.Deps) { withNodes(d); d.Auth = testTokens(t) }})
	c, body := srv.Get("/api/cluster")
	wantProblem(t, c, body, 401)
	c, body = srv.Get("/api/cluster", withToken("reader"))
	wantProblem(t, c, body, 403)
	if c, body := srv.Get("/api/cluster", withToken("admin")); c.Status != 200 {
		t.Errorf("%d %s", c.Status, body)
	}
}

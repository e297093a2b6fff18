package handlers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"ticklane/handlers"
	"ticklane/internal/market/ingest"
	"ticklane/internal/shard"
	"ticklane/internal/stream"
	"ticklane/internal/testkit/testserver"
)

// TestQueryIsAsDescribed checks that the server reads every described parameter, accepts described values, and rejects others
// with the parameter's name.
func TestQueryIsAsDescribed(t *testing.T) {
	d := newAPIChecker(t, "openapi")
	srv := newTestServer(t, testserver.Options{Log: compressing(stream.CompressAuto), Deps: func(d *handlers.Deps) {
		withLab(d)
		d.Ingest, _ = ingest.New(ingest.Options{MaxInstruments: 1})
	}})
	srv.Publish(20)
	checked := 0
	for id, o := range d.operations() {
		extra := []string{}
		switch id {
		case "subscribeSSE":
			continue // HEAD has the same query and ends
		case "subscribeWS", "ingestWS":
			extra = testserver.Upgrade
		}
		for _, p := range o.params {
			if p.in != "query" || p.name == "lang" || p.name == "lastEventId" || strings.HasPrefix(o.path, "/sign-in") { // any value has a meaning
				continue
			}
			checked++
			path := o.path + "?"
			if id == "history" && p.name != "symbol" {
				path += "symbol=S1&"
			}
			junk := strings.Repeat("x", 65)
			c := srv.Dial()
			c.Request(o.method, path+p.name+"="+junk, extra...)
			if c.Status != 400 {
				t.Errorf("%s: %s=%s: status %d", id, p.name, junk, c.Status)
			} else if o.method != fiber.MethodHead {
				if problem := wantProblem(t, c, c.ReadBody(), 400); problem.Parameter != p.name {
					t.Errorf("%s: %s was rejected for %s", id, p.name, problem.Parameter)
				}
			}
			c.NetConn.Close()
			if d.check(p.pointer, junk) == nil && p.name != "topics" && p.name != "symbol" { // the schema doesn't list known values
				t.Errorf("%s: %s=%s conforms to the description but was rejected", id, p.name, junk)
			}
			schema, _ := d.at(p.pointer)
			values, _ := schema["enum"].([]any)
			if v, ok := schema["default"]; ok {
				values = append(slices.Clone(values), v)
			}
			for _, limit := range []string{"minimum", "maximum"} {
				if v, ok := schema[limit]; ok {
					values = append(values, v)
				}
			}
			for _, v := range values {
				if v == testserver.Shard && !shard.Available {
					continue
				}
				c := srv.Dial()
				c.Request(o.method, fmt.Sprintf("%s%s=%v", path, p.name, v), extra...)
				if c.Status >= 400 {
					t.Errorf("%s: %s=%v conforms to the description: status %d", id, p.name, v, c.Status)
				}
				c.NetConn.Close()
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d parameters were found", checked)
	}
}

package handlers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/textproto"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"ticklane/internal/apidoc"
	"ticklane/internal/wire/wiretest"
)

// apiChecker compares the server with one of its documents. Members that aren't described are errors here, though clients
// must ignore them.
type apiChecker struct {
	testing.TB
	doc      map[string]any
	compiler *jsonschema.Compiler

	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema
	seen    map[string]bool // operations with a status, and messages of a lane, that have occurred
}

func newAPIChecker(t testing.TB, name string) *apiChecker {
	t.Helper()
	d, err := apidoc.Load(os.DirFS(".."), "docs/api/"+name+".yaml", "")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(d.JSON))
	if err != nil {
		t.Fatal(err)
	}
	seal(doc, false)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.AssertContent()
	if err := c.AddResource("doc.json", doc); err != nil {
		t.Fatal(err)
	}
	return &apiChecker{TB: t, doc: doc.(map[string]any), compiler: c, schemas: map[string]*jsonschema.Schema{}, seen: map[string]bool{}}
}

// seal forbids members that aren't described, at every use of an object schema. Within an allOf the objects stay open, since
// only together they describe the members.
func seal(v any, within bool) {
	switch v := v.(type) {
	case map[string]any:
		ref, _ := v["$ref"].(string)
		_, properties := v["properties"].(map[string]any)
		if _, open := v["additionalProperties"]; !within && !open && (properties && v["type"] == "object" || strings.HasPrefix(ref, "#/components/schemas/")) {
			v["unevaluatedProperties"] = false
		}
		for key, child := range v {
			if all, ok := child.(map[string]any); ok && key == "schemas" {
				for _, s := range all { // sealed where they are referred to
					seal(s, true)
				}
				continue
			}
			if all, ok := child.([]any); ok && key == "allOf" {
				for _, s := range all {
					seal(s, true)
				}
				continue
			}
			seal(child, false)
		}
	case []any:
		for _, child := range v {
			seal(child, false)
		}
	}
}

// at resolves a JSON pointer and references on its way, and returns the object and its own pointer.
func (d *apiChecker) at(pointer string) (map[string]any, string) {
	d.Helper()
	for {
		v := any(d.doc)
		for _, name := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
			name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
			switch in := v.(type) {
			case map[string]any:
				v = in[name]
			case []any:
				i, err := strconv.Atoi(name)
				if err != nil || i >= len(in) {
					return nil, pointer
				}
				v = in[i]
			}
		}
		m, _ := v.(map[string]any)
		ref, ok := m["$ref"].(string)
		if !ok {
			return m, pointer
		}
		pointer = strings.TrimPrefix(ref, "#")
	}
}

// check validates a value by the schema at a pointer.
func (d *apiChecker) check(pointer string, v any) error {
	d.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.schemas[pointer]
	if s == nil {
		var err error
		if s, err = d.compiler.Compile("doc.json#" + pointer); err != nil {
			d.Fatalf("%s: %v", pointer, err)
		}
		d.schemas[pointer] = s
	}
	return s.Validate(v)
}

func (d *apiChecker) mark(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen[what] = true
}

// value parses JSON and keeps the notation of numbers.
func value(text string) (any, error) { return jsonschema.UnmarshalJSON(strings.NewReader(text)) }

// operation is an operation of the OpenAPI document.
type operation struct {
	id, method, path, pointer string
	statuses                  []string
	params                    []parameter
}

type parameter struct {
	name, in, pointer string // of its schema
	required          bool
}

// operations returns the operations of an OpenAPI document by id.
func (d *apiChecker) operations() map[string]operation {
	d.Helper()
	all := map[string]operation{}
	for path, v := range d.doc["paths"].(map[string]any) {
		escaped := "/paths/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(path)
		for method, v := range v.(map[string]any) {
			op, ok := v.(map[string]any)
			if !ok {
				continue // parameters
			}
			o := operation{id: op["operationId"].(string), method: strings.ToUpper(method), path: path, pointer: escaped + "/" + method}
			o.statuses = slices.Sorted(maps.Keys(op["responses"].(map[string]any)))
			for _, list := range []string{escaped + "/parameters", o.pointer + "/parameters"} {
				for i := 0; ; i++ {
					p, at := d.at(fmt.Sprintf("%s/%d", list, i))
					if p == nil {
						break
					}
					o.params = append(o.params, parameter{p["name"].(string), p["in"].(string), at + "/schema", p["required"] == true})
				}
			}
			if other, twice := all[o.id]; twice {
				d.Errorf("%s is %s and %s", o.id, other.path, path)
			}
			all[o.id] = o
		}
	}
	return all
}

// matches reports whether a path belongs to the operation.
func (o operation) matches(path string) bool {
	return regexp.MustCompile("^" + regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(o.path), ".+") + "$").MatchString(path)
}

// checkRequest checks a request that the server accepted: its query must conform to the description.
func (d *apiChecker) checkRequest(o operation, target string) {
	d.Helper()
	u, err := url.Parse(target)
	if err != nil || !o.matches(u.Path) {
		d.Errorf("%s: %s isn't its address: %v", o.id, target, err)
		return
	}
	for name, values := range u.Query() {
		i := slices.IndexFunc(o.params, func(p parameter) bool { return p.in == "query" && p.name == name })
		if i < 0 {
			d.Errorf("%s: the parameter %s isn't described", o.id, name)
			continue
		}
		schema, _ := d.at(o.params[i].pointer)
		v := any(values[0])
		if schema["type"] == "integer" {
			v = json.Number(values[0])
		}
		if err := d.check(o.params[i].pointer, v); err != nil {
			d.Errorf("%s: %s=%s was accepted: %v", o.id, name, values[0], err)
		}
	}
}

// commonHeaders may be in any answer without being described.
var commonHeaders = []string{
	"Content-Type", "Content-Length", "Transfer-Encoding", "Date", "Connection", "Content-Encoding", "Vary", "Allow",
	"Content-Security-Policy", "X-Frame-Options", "Referrer-Policy", "Permissions-Policy", "X-Content-Type-Options", "X-Xss-Protection",
	"X-Download-Options", "X-Dns-Prefetch-Control", "X-Permitted-Cross-Domain-Policies", "Origin-Agent-Cluster",
	"Cross-Origin-Resource-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Embedder-Policy",
}

// checkAnswer checks an answer: status, headers, media type and body must conform to the description. It returns the pointer
// of the media type, "" if the answer has no body.
func (d *apiChecker) checkAnswer(o operation, status int, header textproto.MIMEHeader, body string) string {
	d.Helper()
	key := strconv.Itoa(status)
	if !slices.Contains(o.statuses, key) {
		key = "default"
	}
	d.mark(o.id + " " + key)
	response, at := d.at(o.pointer + "/responses/" + key)
	if response == nil {
		d.Fatalf("%s: the status %d isn't described: %.200s", o.id, status, body)
	}
	headers, _ := response["headers"].(map[string]any)
	for name := range header {
		if !slices.Contains(commonHeaders, name) && !slices.ContainsFunc(slices.Collect(maps.Keys(headers)), func(h string) bool { return strings.EqualFold(h, name) }) {
			d.Errorf("%s: %d has the header %s, which isn't described", o.id, status, name)
		}
	}
	for name := range headers {
		h, where := d.at(at + "/headers/" + name)
		got := header.Values(name)
		if len(got) == 0 {
			if h["required"] == true {
				d.Errorf("%s: %d lacks the header %s", o.id, status, name)
			}
			continue
		}
		if err := d.check(where+"/schema", got[0]); err != nil {
			d.Errorf("%s: %d: %s: %v", o.id, status, name, err)
		}
	}
	content, _ := response["content"].(map[string]any)
	if len(content) == 0 {
		if body != "" {
			d.Errorf("%s: %d has a body: %.100s", o.id, status, body)
		}
		return ""
	}
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		d.Errorf("%s: %d: Content-Type %q: %v", o.id, status, header.Get("Content-Type"), err)
	}
	if content[media] == nil {
		if media = "*/*"; content[media] == nil {
			d.Fatalf("%s: %d is %s, which isn't described: %.200s", o.id, status, header.Get("Content-Type"), body)
		}
	}
	where := at + "/content/" + strings.ReplaceAll(media, "/", "~1")
	if content[media].(map[string]any)["itemSchema"] != nil {
		return where // each item is checked by checkMessage
	}
	v := any(body)
	if strings.HasSuffix(media, "json") {
		if v, err = value(body); err != nil {
			d.Errorf("%s: %d: %v: %.200s", o.id, status, err, body)
		}
	}
	if err := d.check(where+"/schema", v); err != nil {
		d.Errorf("%s: %d: %v\n%.300s", o.id, status, err, body)
	}
	return where
}

// asEvent returns the SSE event of a message in the form of the description.
func asEvent(m wiretest.Message) map[string]any {
	e := map[string]any{"data": m.Text}
	if m.Event != "message" {
		e["event"] = m.Event
	}
	if m.EventID != "" {
		e["id"] = m.EventID
	}
	if m.EventRetry != "" {
		e["retry"] = json.Number(m.EventRetry)
	}
	return e
}

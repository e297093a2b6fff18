package apidoc

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func loaded(t *testing.T, name string) (*Document, any) {
	t.Helper()
	d, err := Load(os.DirFS("../.."), "docs/api/"+name, "")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(d.JSON))
	if err != nil {
		t.Fatal(err)
	}
	return d, doc
}

// validate checks a document by the JSON schema that the authors of its specification publish.
func validate(t *testing.T, schema []byte, doc any) error {
	t.Helper()
	rules, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("rules.json", rules); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("rules.json")
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

func TestOpenAPIIsValid(t *testing.T) {
	schema, err := os.ReadFile("../../node_modules/@seriousme/openapi-schema-validator/schemas/v3.2/schema.json")
	if err != nil {
		t.Fatalf("OpenAPI's schema is missing; run 'make assets': %v", err)
	}
	_, doc := loaded(t, "openapi.yaml")
	if err := validate(t, schema, doc); err != nil {
		t.Errorf("%v", err)
	}
	delete(doc.(map[string]any)["info"].(map[string]any), "title")
	if validate(t, schema, doc) == nil {
		t.Error("a document without a title is valid: the schema has no effect")
	}
}

func TestAsyncAPIIsValid(t *testing.T) {
	schema, err := os.ReadFile("../../node_modules/@asyncapi/specs/schemas/3.0.0.json")
	if err != nil {
		t.Fatalf("AsyncAPI's schema is missing; run 'make assets': %v", err)
	}
	_, doc := loaded(t, "asyncapi.yaml")
	if err := validate(t, schema, doc); err != nil {
		t.Errorf("%v", err)
	}
	doc.(map[string]any)["operations"].(map[string]any)["command"].(map[string]any)["action"] = "unknown"
	if validate(t, schema, doc) == nil {
		t.Error("an operation with an unknown action is valid: the schema has no effect")
	}
}

// walk calls f for every object of a document, with its JSON pointer.
func walk(v any, at string, f func(at string, m map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		f(at, v)
		for key, child := range v {
			walk(child, at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(key), f)
		}
	case []any:
		for i, child := range v {
			walk(child, fmt.Sprintf("%s/%d", at, i), f)
		}
	}
}

// TestReferences checks that every $ref resolves, and that every component is referred to.
func TestReferences(t *testing.T) {
	used := map[string]bool{}
	defined := map[string]bool{}
	for _, name := range []string{"openapi.yaml", "asyncapi.yaml"} {
		d, doc := loaded(t, name)
		walk(doc, "", func(at string, m map[string]any) {
			ref, ok := m["$ref"].(string)
			if !ok {
				return
			}
			used[ref] = true
			if !strings.HasPrefix(ref, "#/") {
				t.Errorf("%s%s: %s is outside the document", name, at, ref)
			}
			if len(m) > 1 {
				t.Errorf("%s%s: members beside $ref, which draft-07 ignores", name, at)
			}
			n := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: "$ref"}, {Kind: yaml.ScalarNode, Value: ref}}}
			if target, _ := d.resolve(n); target == nil {
				t.Errorf("%s%s: %s doesn't resolve", name, at, ref)
			}
		})
		requirements, _ := doc.(map[string]any)["security"].([]any)
		for _, all := range requirements {
			for scheme := range all.(map[string]any) {
				used["#/components/securitySchemes/"+scheme] = true
			}
		}
		for kind, all := range doc.(map[string]any)["components"].(map[string]any) {
			for key := range all.(map[string]any) {
				defined["#/components/"+kind+"/"+key] = true
			}
		}
	}
	for ref := range defined {
		if !used[ref] {
			t.Errorf("%s: not referred to", ref)
		}
	}
}

// TestExamples validates each example and each default by its schema, in both drafts where both are used.
func TestExamples(t *testing.T) {
	for name, drafts := range map[string][]*jsonschema.Draft{
		"openapi.yaml": {jsonschema.Draft2020}, "asyncapi.yaml": {jsonschema.Draft2020, jsonschema.Draft7},
	} {
		for _, draft := range drafts {
			_, doc := loaded(t, name)
			c := jsonschema.NewCompiler()
			c.DefaultDraft(draft)
			c.AssertFormat()
			if err := c.AddResource(name, doc); err != nil {
				t.Fatal(err)
			}
			checked := 0
			check := func(at string, v any) {
				t.Helper()
				checked++
				s, err := c.Compile(name + "#" + at)
				if err != nil {
					t.Fatalf("%s: %v", at, err)
				}
				if err := s.Validate(v); err != nil {
					t.Errorf("%s: %v", at, err)
				}
			}
			walk(doc, "", func(at string, m map[string]any) {
				if all, ok := m["examples"].([]any); ok {
					for _, v := range all {
						check(at, v)
					}
				}
				if v, ok := m["example"]; ok {
					check(at+"/schema", v)
				}
				if v, ok := m["default"]; ok && m["type"] != nil {
					check(at, v)
				}
			})
			if checked < 30 {
				t.Errorf("%s: only %d examples found", name, checked)
			}
		}
	}
}

// TestPageIsComplete checks that operations, parameters and members have a text, and every parameter an example.
func TestPageIsComplete(t *testing.T) {
	open, _ := loaded(t, "openapi.yaml")
	async, _ := loaded(t, "asyncapi.yaml")
	p := Layout(open, async, http.StatusText)
	ids := map[string]bool{}
	once := func(id string) {
		if ids[id] || id == "" || id == "schema-" {
			t.Errorf("anchor %q is missing or used twice", id)
		}
		ids[id] = true
	}
	fields := func(of string, all []Field, examples bool) {
		for _, f := range all {
			if f.Type.Text == "" {
				t.Errorf("%s: %s has no type", of, f.Name)
			}
			if examples && (len(f.Text) == 0 && f.Type.Text[0] != '"' || len(f.Examples) == 0) {
				t.Errorf("%s: %s lacks a text or an example", of, f.Name)
			}
		}
	}
	operations := 0
	for _, s := range p.Sections {
		once(s.ID)
		for _, o := range s.Operations {
			operations++
			once(o.ID)
			if o.Summary == "" || len(o.Responses) < 2 && o.ID != "op-favicon" {
				t.Errorf("%s: no summary or no responses", o.ID)
			}
			fields(o.ID, o.Parameters, true)
			for _, r := range o.Responses {
				if len(r.Text) == 0 {
					t.Errorf("%s: %s has no text", o.ID, r.Status)
				}
				fields(o.ID, r.Headers, false)
			}
		}
	}
	described := 0
	for _, item := range pairs(get(open.root, "paths")) {
		for key := range pairs(item) {
			if slices.Contains(methods, key) {
				described++
			}
		}
	}
	if operations != described {
		t.Errorf("%d of %d operations are shown: one has an unknown tag", operations, described)
	}
	for _, s := range slices.Concat(p.Messages, p.Events, p.Schemas) {
		once(s.ID)
		if len(s.Text) == 0 {
			t.Errorf("%s has no text", s.Name)
		}
		fields(s.Name, s.Fields, false)
	}
	for _, m := range p.Messages {
		if len(m.Examples) == 0 {
			t.Errorf("%s has no example", m.Name)
		}
	}
	for _, o := range p.Socket.Operations {
		once(o.ID)
		for _, m := range slices.Concat(o.Messages, o.Replies) {
			if !ids[m.Link] {
				t.Errorf("%s: %s links to nothing", o.ID, m.Text)
			}
		}
	}
	links(t, reflect.ValueOf(p), ids)
}

// links checks that every Type of a page links to an anchor of it.
func links(t *testing.T, v reflect.Value, ids map[string]bool) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		links(t, v.Elem(), ids)
	case reflect.Slice:
		for i := range v.Len() {
			links(t, v.Index(i), ids)
		}
	case reflect.Struct:
		if typ, ok := v.Interface().(Type); ok && typ.Link != "" && !ids[typ.Link] {
			t.Errorf("%s links to nothing", typ.Text)
		}
		for i := range v.NumField() {
			links(t, v.Field(i), ids)
		}
	}
}

// TestYAMLAndJSONAreTheSame checks that both forms of a document have the same content.
func TestYAMLAndJSONAreTheSame(t *testing.T) {
	for _, name := range []string{"openapi.yaml", "asyncapi.yaml"} {
		d, _ := loaded(t, name)
		var asYAML, asJSON any
		if err := yaml.Unmarshal(d.YAML, &asYAML); err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(d.JSON, &asJSON); err != nil { // JSON is YAML
			t.Fatal(err)
		}
		if !reflect.DeepEqual(asYAML, asJSON) {
			t.Errorf("%s differs between YAML and JSON", name)
		}
		if keys := slices.Collect(maps.Keys(asJSON.(map[string]any))); slices.Contains(keys, partsKey) {
			t.Errorf("%s still names its parts", name)
		}
	}
}

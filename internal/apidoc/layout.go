package apidoc

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var methods = []string{"get", "head", "post", "put", "patch", "delete"}

// Layout returns the page of an OpenAPI and an AsyncAPI document. phrase returns the reason phrase of a status.
func Layout(open, async *Document, phrase func(status int) string) *Page {
	p := &Page{Title: text(open.root, "info", "title"), Text: prose(text(open.root, "info", "description"))}
	for _, tag := range items(get(open.root, "tags")) {
		name := text(tag, "name")
		s := Section{ID: "tag-" + strings.ToLower(name), Title: name, Text: prose(text(tag, "description"))}
		for path, item := range pairs(get(open.root, "paths")) {
			for _, method := range methods {
				if op := get(item, method); op != nil && first(get(op, "tags")) == name {
					s.Operations = append(s.Operations, open.operation(path, method, item, op, phrase))
				}
			}
		}
		p.Sections = append(p.Sections, s)
	}
	p.Socket = async.socket()
	shown := make(map[string]bool) // schemas of messages and events
	for _, m := range pairs(get(async.root, "components", "messages")) {
		schema, name := async.resolve(get(m, "payload"))
		shown[name] = true
		p.Messages = append(p.Messages, async.schema(name, schema))
	}
	event, _ := open.resolve(get(open.root, "components", "schemas", "Event"))
	for _, variant := range items(get(event, "oneOf")) {
		schema, name := open.resolve(variant)
		shown[name] = true
		p.Events = append(p.Events, open.schema(name, schema))
	}
	for name, schema := range pairs(get(open.root, "components", "schemas")) {
		if !shown[name] && (get(schema, "properties") != nil || get(schema, "allOf") != nil || get(schema, "oneOf") != nil || get(schema, "enum") != nil) {
			p.Schemas = append(p.Schemas, open.schema(name, schema))
		}
	}
	return p
}

func (d *Document) operation(path, method string, item, op *yaml.Node, phrase func(int) string) Operation {
	o := Operation{ID: "op-" + text(op, "operationId"), Method: strings.ToUpper(method), Path: path, Summary: text(op, "summary"), Text: prose(text(op, "description"))}
	for _, list := range []*yaml.Node{get(item, "parameters"), get(op, "parameters")} {
		for _, n := range items(list) {
			n, _ = d.resolve(n)
			f := d.field(text(n, "name"), n)
			f.In = text(n, "in")
			o.Parameters = append(o.Parameters, f)
		}
	}
	if body := get(op, "requestBody"); body != nil {
		o.BodyText, o.Body = prose(text(body, "description")), d.contents(body)
	}
	for status, n := range pairs(get(op, "responses")) {
		n, _ = d.resolve(n)
		r := Response{Status: status, Text: prose(text(n, "description")), Contents: d.contents(n)}
		if code, err := strconv.Atoi(status); err == nil {
			r.Title = phrase(code)
		} else {
			r.Status = "any other"
		}
		for name, h := range pairs(get(n, "headers")) {
			h, _ = d.resolve(h)
			r.Headers = append(r.Headers, d.field(name, h))
		}
		o.Responses = append(o.Responses, r)
	}
	return o
}

// field returns a parameter or a header. What it doesn't declare itself is taken from its schema.
func (d *Document) field(name string, n *yaml.Node) Field {
	schema, _ := d.resolve(get(n, "schema"))
	f := d.member(name, schema)
	f.Required = text(n, "required") == "true"
	if t := text(n, "description"); t != "" {
		f.Text = prose(t)
	}
	if e := get(n, "example"); e != nil {
		f.Examples = []string{e.Value}
	}
	return f
}

// member returns a member of an object by its schema.
func (d *Document) member(name string, n *yaml.Node) Field {
	f := Field{Name: name, Type: d.kind(n), Default: text(n, "default")}
	schema, _ := d.resolve(n)
	if len(items(get(schema, "allOf"))) == 1 {
		f.Text = prose(text(schema, "description"))
		schema, _ = d.resolve(items(get(schema, "allOf"))[0])
	}
	if f.Text == nil {
		f.Text = prose(text(schema, "description"))
	}
	f.Range = limits(schema)
	for _, e := range items(get(schema, "examples")) {
		if e.Kind == yaml.ScalarNode {
			f.Examples = append(f.Examples, e.Value)
		}
	}
	return f
}

func (d *Document) contents(n *yaml.Node) []Content {
	var all []Content
	for media, m := range pairs(get(n, "content")) {
		c := Content{Media: media}
		schema := get(m, "schema")
		if schema == nil {
			schema = get(m, "itemSchema")
		}
		c.Type = d.kind(schema)
		target, name := d.resolve(schema)
		if name == "" {
			c.Fields = d.fields(target)
		}
		if e := get(m, "example"); e != nil {
			c.Examples = append(c.Examples, pretty(e))
		}
		for _, e := range pairs(get(m, "examples")) {
			c.Examples = append(c.Examples, strings.TrimSpace(text(e, "serializedValue")))
		}
		if len(c.Examples) == 0 && name != "Problem" { // the list of schemas has its own example of Problem
			for _, e := range items(get(target, "examples")) {
				c.Examples = append(c.Examples, pretty(e))
			}
		}
		all = append(all, c)
	}
	return all
}

// fields returns the members of an object, those of its allOf included.
func (d *Document) fields(n *yaml.Node) []Field {
	var all []Field
	for _, part := range items(get(n, "allOf")) {
		part, _ = d.resolve(part)
		all = append(all, d.fields(part)...)
	}
	required := make(map[string]bool)
	for _, r := range items(get(n, "required")) {
		required[r.Value] = true
	}
	for name, schema := range pairs(get(n, "properties")) {
		f := d.member(name, schema)
		f.Required = required[name]
		all = append(all, f)
	}
	return all
}

func (d *Document) schema(name string, n *yaml.Node) Schema {
	s := Schema{ID: anchor(name), Name: name, Title: text(n, "title"), Text: prose(text(n, "description")), Type: d.kind(n), Fields: d.fields(n)}
	for _, v := range items(get(n, "oneOf")) {
		if target, ref := d.resolve(v); ref == "" {
			s.Variants = append(s.Variants, d.schema(text(target, "title"), target))
		} else {
			s.Variants = append(s.Variants, Schema{ID: anchor(ref), Name: ref})
		}
	}
	for _, e := range items(get(n, "examples")) {
		s.Examples = append(s.Examples, pretty(e))
	}
	return s
}

// kind describes the type of a value in a few words.
func (d *Document) kind(n *yaml.Node) Type {
	target, name := d.resolve(n)
	if name != "" && (get(target, "properties") != nil || get(target, "oneOf") != nil || len(items(get(target, "allOf"))) > 1) {
		return Type{Text: name, Link: anchor(name)}
	}
	if all := items(get(target, "allOf")); len(all) == 1 {
		return d.kind(all[0])
	}
	if media := text(target, "contentMediaType"); media != "" {
		of := d.kind(get(target, "contentSchema"))
		return Type{Text: of.Text + " as JSON", Link: of.Link}
	}
	if c := get(target, "const"); c != nil {
		return Type{Text: strconv.Quote(c.Value)}
	}
	if all := items(get(target, "enum")); len(all) > 0 {
		var words []string
		for _, v := range all {
			words = append(words, v.Value)
		}
		return Type{Text: strings.Join(words, " | ")}
	}
	if all := items(get(target, "oneOf")); len(all) > 0 {
		var words []string
		for _, v := range all {
			words = append(words, d.kind(v).Text)
		}
		return Type{Text: strings.Join(words, " or "), Link: d.kind(all[0]).Link}
	}
	if all := items(get(target, "anyOf")); len(all) > 0 {
		return Type{Text: d.kind(all[0]).Text + " or " + d.kind(all[1]).Text, Link: d.kind(all[0]).Link}
	}
	if all := items(get(target, "type")); len(all) > 0 {
		return Type{Text: all[0].Value + " or " + all[1].Value}
	}
	if text(target, "type") == "array" {
		of := d.kind(get(target, "items"))
		return Type{Text: "list of " + of.Text, Link: of.Link}
	}
	return Type{Text: text(target, "type")}
}

// limits describes the range of a value.
func limits(n *yaml.Node) string {
	var all []string
	add := func(before, key, after string) {
		if v := text(n, key); v != "" {
			all = append(all, before+v+after)
		}
	}
	add("at least ", "minimum", "")
	add("above ", "exclusiveMinimum", "")
	add("at most ", "maximum", "")
	add("at most ", "maxLength", " characters")
	add("at least ", "minItems", "")
	return strings.Join(all, ", ")
}

func (d *Document) socket() Socket {
	info := get(d.root, "info")
	s := Socket{Title: text(info, "title"), Text: prose(text(info, "description"))}
	for _, channel := range pairs(get(d.root, "channels")) { // the only one
		s.Path, s.Channel = text(channel, "address"), prose(text(channel, "description"))
		s.Parameters = d.fields(get(channel, "bindings", "ws", "query"))
		s.Headers = d.fields(get(channel, "bindings", "ws", "headers"))
		for _, c := range items(get(channel, "x-close-codes")) {
			s.Closes = append(s.Closes, Close{Code: text(c, "code"), Reason: text(c, "reason"), Text: prose(text(c, "description"))})
		}
	}
	for id, op := range pairs(get(d.root, "operations")) {
		t := Traffic{ID: "socket-" + id, Title: text(op, "title"), Text: prose(text(op, "description"))}
		t.Messages, t.Replies = d.names(get(op, "messages")), d.names(get(op, "reply", "messages"))
		s.Operations = append(s.Operations, t)
	}
	return s
}

// names returns links to the payloads of messages.
func (d *Document) names(list *yaml.Node) []Type {
	var all []Type
	for _, n := range items(list) {
		m, _ := d.resolve(n)
		_, schema := d.resolve(get(m, "payload"))
		all = append(all, Type{Text: text(m, "name"), Link: anchor(schema)})
	}
	return all
}

const maxReferences = 8

// resolve follows $ref. It returns the node that has none, and the name of the last component that was referred to, "" for
// a node without $ref. A circle of references ends after maxReferences.
func (d *Document) resolve(n *yaml.Node) (target *yaml.Node, name string) {
	for range maxReferences {
		ref := text(n, "$ref")
		if ref == "" {
			return n, name
		}
		names := strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		for i, s := range names {
			names[i] = strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
		}
		name = names[len(names)-1]
		n = get(d.root, names...)
	}
	return n, name
}

func anchor(name string) string {
	return "schema-" + strings.ToLower(strings.ReplaceAll(name, " ", "-"))
}

func first(n *yaml.Node) string {
	if all := items(n); len(all) > 0 {
		return all[0].Value
	}
	return ""
}

// prose splits a description into paragraphs at blank lines, and each into text and code at backticks.
func prose(s string) []Paragraph {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	var all []Paragraph
	for part := range strings.SplitSeq(s, "\n\n") {
		var p Paragraph
		for i, piece := range strings.Split(part, "`") {
			if piece != "" {
				p = append(p, Span{Text: piece, Code: i%2 == 1})
			}
		}
		all = append(all, p)
	}
	return all
}

// pretty returns an example as JSON, on one line if it is short.
func pretty(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return strings.TrimSpace(n.Value)
	}
	b, err := appendJSON(nil, n)
	if err != nil {
		return err.Error() // impossible: Load has encoded it
	}
	var out bytes.Buffer
	if len(b) <= 76 || json.Indent(&out, b, "", "  ") != nil {
		return string(b)
	}
	return out.String()
}

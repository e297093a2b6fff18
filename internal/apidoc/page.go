package apidoc

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Page is both descriptions laid out for people.
type Page struct {
	Title    string
	Text     []Paragraph
	Sections []Section
	Socket   Socket
	Events   []Schema // of Server-Sent Events
	Messages []Schema // of both lanes
	Schemas  []Schema // the rest
}

// Paragraph is text with some of it in code.
type Paragraph []Span

// Span is a piece of a paragraph.
type Span struct {
	Text string
	Code bool
}

// Section is a tag and its operations.
type Section struct {
	ID, Title  string
	Text       []Paragraph
	Operations []Operation
}

// Operation is one method of one address.
type Operation struct {
	ID, Method, Path, Summary string

	Text       []Paragraph
	Parameters []Field
	BodyText   []Paragraph
	Body       []Content
	Responses  []Response
}

// Response is what an operation may answer.
type Response struct {
	Status, Title string
	Text          []Paragraph
	Headers       []Field
	Contents      []Content
}

// Content is one media type of a body.
type Content struct {
	Media    string
	Type     Type
	Fields   []Field
	Examples []string
}

// Field is a parameter, a header or a member.
type Field struct {
	Name, In, Default, Range string

	Required bool
	Type     Type
	Text     []Paragraph
	Examples []string
}

// Type is what a value is; Link is the anchor of a schema.
type Type struct{ Text, Link string }

// Schema is one object, or one of several variants.
type Schema struct {
	ID, Name, Title string
	Text            []Paragraph
	Type            Type
	Fields          []Field
	Variants        []Schema
	Examples        []string
}

// Socket is the WebSocket lane.
type Socket struct {
	Title, Path string
	Text        []Paragraph
	Channel     []Paragraph
	Headers     []Field
	Parameters  []Field
	Operations  []Traffic
	Closes      []Close
}

// Traffic is the messages of one direction.
type Traffic struct {
	ID, Title         string
	Text              []Paragraph
	Messages, Replies []Type
}

// Close is a close code.
type Close struct {
	Code, Reason string
	Text         []Paragraph
}

var methods = []string{"get", "head", "post", "put", "patch", "delete"}

// Lay lays both out. phrase is what a status is called.
func Lay(open, async *Document, phrase func(status int) string) *Page {
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
	shared := make(map[string]bool) // the messages, as AsyncAPI lists them
	for _, m := range pairs(get(async.root, "components", "messages")) {
		schema, name := async.follow(get(m, "payload"))
		shared[name] = true
		p.Messages = append(p.Messages, async.schema(name, schema))
	}
	event, _ := open.follow(get(open.root, "components", "schemas", "Event"))
	for _, variant := range items(get(event, "oneOf")) {
		schema, name := open.follow(variant)
		shared[name] = true
		p.Events = append(p.Events, open.schema(name, schema))
	}
	for name, schema := range pairs(get(open.root, "components", "schemas")) {
		if !shared[name] && (get(schema, "properties") != nil || get(schema, "allOf") != nil || get(schema, "oneOf") != nil || get(schema, "enum") != nil) {
			p.Schemas = append(p.Schemas, open.schema(name, schema))
		}
	}
	return p
}

func (d *Document) operation(path, method string, item, op *yaml.Node, phrase func(int) string) Operation {
	o := Operation{ID: "op-" + text(op, "operationId"), Method: strings.ToUpper(method), Path: path, Summary: text(op, "summary"), Text: prose(text(op, "description"))}
	for _, list := range []*yaml.Node{get(item, "parameters"), get(op, "parameters")} {
		for _, n := range items(list) {
			n, _ = d.follow(n)
			f := d.field(text(n, "name"), n)
			f.In = text(n, "in")
			o.Parameters = append(o.Parameters, f)
		}
	}
	if body := get(op, "requestBody"); body != nil {
		o.BodyText, o.Body = prose(text(body, "description")), d.contents(body)
	}
	for status, n := range pairs(get(op, "responses")) {
		n, _ = d.follow(n)
		r := Response{Status: status, Text: prose(text(n, "description")), Contents: d.contents(n)}
		if code, err := strconv.Atoi(status); err == nil {
			r.Title = phrase(code)
		} else {
			r.Status = "any other"
		}
		for name, h := range pairs(get(n, "headers")) {
			h, _ = d.follow(h)
			r.Headers = append(r.Headers, d.field(name, h))
		}
		o.Responses = append(o.Responses, r)
	}
	return o
}

// field is a parameter or a header: its schema may say what it doesn't.
func (d *Document) field(name string, n *yaml.Node) Field {
	schema, _ := d.follow(get(n, "schema"))
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

// member is a member of an object, or whatever else has a schema.
func (d *Document) member(name string, n *yaml.Node) Field {
	f := Field{Name: name, Type: d.kind(n), Default: text(n, "default")}
	schema, _ := d.follow(n)
	if len(items(get(schema, "allOf"))) == 1 {
		f.Text = prose(text(schema, "description"))
		schema, _ = d.follow(items(get(schema, "allOf"))[0])
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
		target, name := d.follow(schema)
		if name == "" {
			c.Fields = d.fields(target)
		}
		if e := get(m, "example"); e != nil {
			c.Examples = append(c.Examples, pretty(e))
		}
		for _, e := range pairs(get(m, "examples")) {
			c.Examples = append(c.Examples, strings.TrimSpace(text(e, "serializedValue")))
		}
		if len(c.Examples) == 0 && name != "Problem" { // whose example stands with it
			for _, e := range items(get(target, "examples")) {
				c.Examples = append(c.Examples, pretty(e))
			}
		}
		all = append(all, c)
	}
	return all
}

// fields are the members of an object, and of those that it takes in.
func (d *Document) fields(n *yaml.Node) []Field {
	var all []Field
	for _, part := range items(get(n, "allOf")) {
		part, _ = d.follow(part)
		all = append(all, d.fields(part)...)
	}
	must := make(map[string]bool)
	for _, r := range items(get(n, "required")) {
		must[r.Value] = true
	}
	for name, schema := range pairs(get(n, "properties")) {
		f := d.member(name, schema)
		f.Required = must[name]
		all = append(all, f)
	}
	return all
}

func (d *Document) schema(name string, n *yaml.Node) Schema {
	s := Schema{ID: anchor(name), Name: name, Title: text(n, "title"), Text: prose(text(n, "description")), Type: d.kind(n), Fields: d.fields(n)}
	for _, v := range items(get(n, "oneOf")) {
		if target, ref := d.follow(v); ref == "" {
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

// kind says in a few words what a value is.
func (d *Document) kind(n *yaml.Node) Type {
	target, name := d.follow(n)
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

// limits tells the range of a value.
func limits(n *yaml.Node) string {
	var all []string
	say := func(before, key, after string) {
		if v := text(n, key); v != "" {
			all = append(all, before+v+after)
		}
	}
	say("at least ", "minimum", "")
	say("above ", "exclusiveMinimum", "")
	say("at most ", "maximum", "")
	say("at most ", "maxLength", " characters")
	say("at least ", "minItems", "")
	return strings.Join(all, ", ")
}

func (d *Document) socket() Socket {
	info := get(d.root, "info")
	s := Socket{Title: text(info, "title"), Text: prose(text(info, "description"))}
	for _, channel := range pairs(get(d.root, "channels")) { // there is one
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

// names are links to the payloads of messages.
func (d *Document) names(list *yaml.Node) []Type {
	var all []Type
	for _, n := range items(list) {
		m, _ := d.follow(n)
		_, schema := d.follow(get(m, "payload"))
		all = append(all, Type{Text: text(m, "name"), Link: anchor(schema)})
	}
	return all
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

// prose splits a description into paragraphs, and those at backticks.
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

// pretty shows an example as JSON: on one line while a person can read it so.
func pretty(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return strings.TrimSpace(n.Value)
	}
	b, err := appendJSON(nil, n)
	if err != nil {
		return err.Error() // Load would have refused it
	}
	var out bytes.Buffer
	if len(b) <= 76 || json.Indent(&out, b, "", "  ") != nil {
		return string(b)
	}
	return out.String()
}

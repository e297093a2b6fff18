// Package apidoc assembles the OpenAPI and AsyncAPI documents from their parts, for tools, and lays them out as a page,
// for people. Tests of package handlers compare the documents with what the server does.
package apidoc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"

	"go.yaml.in/yaml/v3"
)

// Document is one self-contained description.
type Document struct {
	YAML, JSON []byte

	root *yaml.Node
}

// partsKey is the member that lists the files of a document's other parts.
const partsKey = "x-parts"

// Load reads a description and merges its parts, which are in the same folder, into it. base is the path below which the
// server serves all paths; empty for the root.
func Load(files fs.FS, name, base string) (*Document, error) {
	root, err := read(files, name)
	if err != nil {
		return nil, err
	}
	for _, part := range items(remove(root, partsKey)) {
		more, err := read(files, path.Join(path.Dir(name), part.Value))
		if err != nil {
			return nil, err
		}
		if err := merge(root, more, ""); err != nil {
			return nil, fmt.Errorf("%s: %w", part.Value, err)
		}
	}
	setBase(get(root, "servers"), base)
	d := &Document{root: root}
	if d.JSON, err = appendJSON(nil, root); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, d.JSON, "", "  "); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d.JSON = append(pretty.Bytes(), '\n')
	var text bytes.Buffer
	out := yaml.NewEncoder(&text)
	out.SetIndent(2)
	if err := out.Encode(root); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d.YAML = text.Bytes()
	return d, nil
}

// setBase adds the path to the servers of a document: a sequence in OpenAPI, a mapping in AsyncAPI.
func setBase(servers *yaml.Node, base string) {
	if base == "" {
		return
	}
	for _, server := range items(servers) {
		get(server, "url").Value = base
	}
	for _, server := range pairs(servers) {
		server.Content = append(server.Content, scalar("pathname"), scalar(base))
	}
}

func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

func read(files fs.FS, name string) (*yaml.Node, error) {
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: want a mapping", name)
	}
	return normalize(doc.Content[0]), nil
}

// normalize copies a tree without comments, and with aliases replaced by what they refer to.
func normalize(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return normalize(n.Alias)
	}
	c := &yaml.Node{Kind: n.Kind, Style: n.Style, Tag: n.Tag, Value: n.Value, Line: n.Line}
	for _, child := range n.Content {
		c.Content = append(c.Content, normalize(child))
	}
	return c
}

// merge adds the members of from to into. Members that both have must be mappings, which are merged; at is the path of the
// mapping, for errors.
func merge(into, from *yaml.Node, at string) error {
	for key, value := range pairs(from) {
		have := get(into, key)
		switch {
		case have == nil:
			into.Content = append(into.Content, scalar(key), value)
		case have.Kind == yaml.MappingNode && value.Kind == yaml.MappingNode:
			if err := merge(have, value, at+"/"+key); err != nil {
				return err
			}
		default:
			return fmt.Errorf("line %d: %s/%s is defined twice", value.Line, at, key)
		}
	}
	return nil
}

// appendJSON appends a tree as JSON. It keeps the order of members and the notation of numbers.
func appendJSON(b []byte, n *yaml.Node) ([]byte, error) {
	var err error
	switch n.Kind {
	case yaml.MappingNode:
		b = append(b, '{')
		for key, value := range pairs(n) {
			if b[len(b)-1] != '{' {
				b = append(b, ',')
			}
			b = append(appendString(b, key), ':')
			if b, err = appendJSON(b, value); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	case yaml.SequenceNode:
		b = append(b, '[')
		for i, value := range n.Content {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendJSON(b, value); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	}
	switch tag := n.ShortTag(); tag {
	case "!!str":
		return appendString(b, n.Value), nil
	case "!!int", "!!float", "!!bool", "!!null":
		if !json.Valid([]byte(n.Value)) {
			// Often an implied null: in flow style a comma ends a plain text.
			return nil, fmt.Errorf("line %d: %q is not a JSON value; quote it", n.Line, n.Value)
		}
		return append(b, n.Value...), nil
	default: // such as a text that looks like a date
		return nil, fmt.Errorf("line %d: %q is read as %s; quote it", n.Line, n.Value, tag)
	}
}

func appendString(b []byte, s string) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // encoding a string can't fail
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}

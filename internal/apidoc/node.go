package apidoc

import (
	"iter"
	"strings"

	"go.yaml.in/yaml/v3"
)

// pairs yields the members of a mapping in their order; nothing of anything else.
func pairs(n *yaml.Node) iter.Seq2[string, *yaml.Node] {
	return func(yield func(string, *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, n.Content[i+1]) {
				return
			}
		}
	}
}

// items returns the elements of a sequence.
func items(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

// get follows names down from a mapping, nil when one isn't there.
func get(n *yaml.Node, names ...string) *yaml.Node {
	for _, name := range names {
		var next *yaml.Node
		for key, value := range pairs(n) {
			if key == name {
				next = value
			}
		}
		if n = next; n == nil {
			return nil
		}
	}
	return n
}

// text returns a scalar, "" when it isn't there.
func text(n *yaml.Node, names ...string) string {
	if n = get(n, names...); n == nil {
		return ""
	}
	return n.Value
}

// take removes a member and returns it.
func take(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			value := n.Content[i+1]
			n.Content = append(n.Content[:i:i], n.Content[i+2:]...)
			return value
		}
	}
	return nil
}

// follow returns what a $ref points at, and the last name on the way; a node without one is itself.
func (d *Document) follow(n *yaml.Node) (target *yaml.Node, name string) {
	for hops := 0; hops < 8; hops++ { // a circle ends somewhere
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

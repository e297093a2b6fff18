package apidoc

import (
	"iter"

	"go.yaml.in/yaml/v3"
)

// pairs yields the members of a mapping in their order, and nothing if n is no mapping.
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

// items returns the elements of a sequence, none if n is no sequence.
func items(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

// get returns the node at a path of member names, nil if there is none.
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

// text returns the scalar at a path of member names, "" if there is none.
func text(n *yaml.Node, names ...string) string {
	if n = get(n, names...); n == nil {
		return ""
	}
	return n.Value
}

// remove removes a member and returns its value, nil if there is none.
func remove(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			value := n.Content[i+1]
			n.Content = append(n.Content[:i:i], n.Content[i+2:]...)
			return value
		}
	}
	return nil
}

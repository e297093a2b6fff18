package main

import (
	"fmt"
	"path"
	"strings"

	"ticklane/bench/recipes"
)

// Shape is one server in one way to run it, and how its clients ask.
type Shape struct {
	Name     string
	Kind     string // floor, recipe, ticklane
	Lane     string // sse, ws, mixed
	Engine   string // of ticklane
	Path     string // of recipes
	Protobuf bool
	Compress bool
	Join     bool // floor: all that is due in one write
	Lossy    bool // a full subscriber loses ticks
	About    string
}

func shapes() []Shape {
	s := []Shape{
		{Name: "floor-sse", Kind: "floor", Lane: "sse", About: "C: write(2) of the same ready bytes to every socket, one tick a write"},
		{Name: "floor-ws", Kind: "floor", Lane: "ws", About: "the same for WebSocket"},
		{Name: "floor-join-sse", Kind: "floor", Lane: "sse", Join: true, About: "the same, all that is due in one write"},
		{Name: "floor-join-ws", Kind: "floor", Lane: "ws", Join: true, About: "the same for WebSocket"},
		{Name: "floor-mixed", Kind: "floor", Lane: "mixed", About: "C, half of the subscribers on each lane"},
	}
	for _, r := range recipes.All {
		s = append(s, Shape{Name: r.Name, Kind: "recipe", Lane: r.Lane, Path: r.Path, Lossy: r.Lossy, About: r.About})
	}
	for _, lane := range []string{"sse", "ws", "mixed"} {
		for _, engine := range []string{"stream", "shard"} {
			for _, protobuf := range []bool{false, true} {
				for _, compress := range []bool{false, true} {
					if protobuf && lane != "ws" || lane == "mixed" && compress {
						continue
					}
					x := Shape{Kind: "ticklane", Lane: lane, Engine: engine, Protobuf: protobuf, Compress: compress}
					x.Name = "ticklane-" + engine + "-" + lane
					if protobuf {
						x.Name += "-pb"
					}
					if compress {
						x.Name += "-z"
					}
					x.About = fmt.Sprintf("Ticklane, engine %s", engine)
					s = append(s, x)
				}
			}
		}
	}
	return s
}

// floor is the floor of a shape's lane.
func (s Shape) floor() string {
	if s.Join {
		return "floor-join-" + s.Lane
	}
	return "floor-" + s.Lane
}

// pick returns those of all whose names match one of the comma-separated patterns.
func pick(all []Shape, patterns string) ([]Shape, error) {
	var out []Shape
	used := map[string]bool{}
	for _, s := range all {
		for p := range strings.SplitSeq(patterns, ",") {
			ok, err := path.Match(strings.ReplaceAll(p, "/", "_"), strings.ReplaceAll(s.Name, "/", "_"))
			if err != nil {
				return nil, fmt.Errorf("-servers: %q: %w", p, err)
			}
			if ok {
				used[p] = true
				if len(out) == 0 || out[len(out)-1].Name != s.Name {
					out = append(out, s)
				}
			}
		}
	}
	for p := range strings.SplitSeq(patterns, ",") {
		if !used[p] {
			return nil, fmt.Errorf("-servers: no server matches %q; `list` names them", p)
		}
	}
	return out, nil
}

package main

import (
	"fmt"
	"path"
	"strings"

	"ticklane/bench/recipes"
)

// Spec is one server with its settings, and what its clients ask for.
type Spec struct {
	Name     string
	Kind     string // baseline, recipe, ticklane
	Lane     string // sse, ws, mixed
	Engine   string // of ticklane
	Path     string // of recipes
	Protobuf bool
	Compress bool
	Join     bool // baseline: everything that is due in one write
	Lossy    bool // a subscriber whose queue is full loses ticks
	About    string
}

func specs() []Spec {
	s := []Spec{
		{Name: "baseline-sse", Kind: "baseline", Lane: "sse", About: "C: write(2) of the same prepared bytes to every socket, one tick per write"},
		{Name: "baseline-ws", Kind: "baseline", Lane: "ws", About: "the same for WebSocket"},
		{Name: "baseline-join-sse", Kind: "baseline", Lane: "sse", Join: true, About: "the same, everything that is due in one write"},
		{Name: "baseline-join-ws", Kind: "baseline", Lane: "ws", Join: true, About: "the same for WebSocket"},
		{Name: "baseline-mixed", Kind: "baseline", Lane: "mixed", About: "C, half of the subscribers on each lane"},
	}
	for _, r := range recipes.All {
		s = append(s, Spec{Name: r.Name, Kind: "recipe", Lane: r.Lane, Path: r.Path, Lossy: r.Lossy, About: r.About})
	}
	for _, lane := range []string{"sse", "ws", "mixed"} {
		for _, engine := range []string{"stream", "shard"} {
			for _, protobuf := range []bool{false, true} {
				for _, compress := range []bool{false, true} {
					if protobuf && lane != "ws" || lane == "mixed" && compress {
						continue
					}
					x := Spec{Kind: "ticklane", Lane: lane, Engine: engine, Protobuf: protobuf, Compress: compress}
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

// baseline returns the name of the baseline of a server's lane.
func (s Spec) baseline() string {
	if s.Join {
		return "baseline-join-" + s.Lane
	}
	return "baseline-" + s.Lane
}

// pick returns those of all whose names match one of the comma-separated patterns.
func pick(all []Spec, patterns string) ([]Spec, error) {
	var out []Spec
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
			return nil, fmt.Errorf("-servers: no server matches %q; list names them", p)
		}
	}
	return out, nil
}

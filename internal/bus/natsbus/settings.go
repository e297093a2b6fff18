package natsbus

import "fmt"

// Setting is one that must be the same on all nodes of a stream. The node that creates the stream decides.
type Setting struct {
	Name, Value string
	Any         bool   // this node takes the value of the stream
	Advice      string // what to do if the values differ; empty for the usual
}

// settingPrefix begins the keys of settings in the metadata of the stream.
const settingPrefix = "ticklane-"

// Setting returns the value of a setting on which the nodes have agreed.
func (b *Bus) Setting(name string) string {
	for i := range b.o.Settings {
		if b.o.Settings[i].Name == name {
			return b.o.Settings[i].Value
		}
	}
	return ""
}

// agree compares the settings with those of the stream, and takes those that may be any.
func (b *Bus) agree(metadata map[string]string) error {
	for i := range b.o.Settings {
		s := &b.o.Settings[i]
		value, ok := metadata[settingPrefix+s.Name]
		switch {
		case !ok || value == s.Value:
		case s.Any:
			s.Value = value
		default:
			advice := s.Advice
			if advice == "" {
				advice = "set it to " + value
			}
			return fmt.Errorf("%w: %s is %s, but %s on the servers that share stream %s: %s, or choose another bus.nats.stream",
				errMismatch, s.Name, s.Value, value, b.o.Prefix, advice)
		}
	}
	return nil
}

// metadata returns the metadata of the stream with an epoch.
func (b *Bus) metadata(epoch string) map[string]string {
	m := map[string]string{epochKey: epoch}
	for _, s := range b.o.Settings {
		m[settingPrefix+s.Name] = s.Value
	}
	return m
}

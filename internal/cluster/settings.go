package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Setting is a setting that should be the same on all nodes.
type Setting struct {
	Name   string
	Value  string // of a secret its fingerprint, which is equal for equal secrets
	Secret bool   // the value isn't shown, only that it differs
	Effect string // what different values cause
}

// Difference is a setting that has another value on another node. Both values are empty if they are secret.
type Difference struct {
	Setting string `json:"setting"`
	Here    string `json:"here"`
	Node    string `json:"node"` // the other one
	There   string `json:"there"`
	Effect  string `json:"effect"`
}

const (
	settleTime        = 3 * interval     // after which a difference is reported
	settleSecretTime  = 30 * time.Second // the same for a secret: a changed file needs some seconds to reach all nodes
	maxSettings       = 64               // of a report
	maxSettingsLogged = 1000             // by one process, if another node changes a value again and again
)

// difference is what the list knows of a setting that has another value on another node.
type difference struct {
	here, there string
	since       time.Time
	settled     bool // it is reported
}

// setSettings takes this node's settings, and adds them to a message.
func (l *List) setSettings(m *message) {
	if l.o.Settings == nil {
		return
	}
	settings := l.o.Settings()
	m.Settings = make(map[string]string, len(settings))
	for i := range settings {
		settings[i].Value = clean(settings[i].Value)
		m.Settings[settings[i].Name] = settings[i].Value
	}
	l.mu.Lock()
	l.settings = settings
	l.mu.Unlock()
}

// validSettings checks the settings of another node.
func validSettings(all map[string]string) error {
	if len(all) > maxSettings {
		return fmt.Errorf("%d settings: want at most %d", len(all), maxSettings)
	}
	for name, value := range all {
		if name != clean(name) || value != clean(value) {
			return fmt.Errorf("setting %.40q: want at most %d bytes of printable UTF-8", name, maxText)
		}
	}
	return nil
}

// compareSettings notes which settings of a node differ from this one's, and logs each once. The list is locked.
func (l *List) compareSettings(e *entry, now time.Time) {
	for i := range l.settings {
		s := &l.settings[i]
		there, ok := e.Settings[s.Name]
		if !ok || there == s.Value {
			delete(e.differs, s.Name)
			continue
		}
		d := e.differs[s.Name]
		if d == nil || d.here != s.Value || d.there != there {
			if e.differs == nil {
				e.differs = make(map[string]*difference)
			}
			d = &difference{here: s.Value, there: there, since: now}
			e.differs[s.Name] = d
		}
		settle := settleTime
		if s.Secret {
			settle = settleSecretTime
		}
		if d.settled || now.Sub(d.since) < settle {
			continue
		}
		d.settled = true
		if l.settingsLogged++; l.settingsLogged > maxSettingsLogged {
			continue
		}
		args := []any{"setting", s.Name, "node", e.Name, "effect", s.Effect}
		if !s.Secret {
			args = append(args, "here", s.Value, "there", there)
		}
		l.o.Logger.Warn("setting isn't the same on all nodes", args...)
	}
}

// differences returns the settings that differ on nodes that run, by name. The list is locked.
func (l *List) differences(now time.Time) []Difference {
	all := []Difference{}
	for _, e := range l.entries {
		if e.state(now) != StateUp {
			continue
		}
		for i := range l.settings {
			s := &l.settings[i]
			if d := e.differs[s.Name]; d != nil && d.settled {
				found := Difference{Setting: s.Name, Node: e.Name, Effect: s.Effect}
				if !s.Secret {
					found.Here, found.There = d.here, d.there
				}
				all = append(all, found)
			}
		}
	}
	slices.SortFunc(all, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Setting, b.Setting), cmp.Compare(a.Node, b.Node))
	})
	return all
}

package wire

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"ticklane/internal/nearest"
)

// MemberError reports a member of a JSON object that is unknown or given twice.
type MemberError struct {
	Member string // at most 40 bytes of its name
	Msg    string
}

func (e *MemberError) Error() string { return e.Member + ": " + e.Msg }

// CheckMembers checks the names of an object's members: each must be in known, or start with an underscore, and none may be
// given twice. encoding/json alone matches names in any case and accepts repeated ones. The error is a *MemberError. Invalid
// JSON is no error here: json.Unmarshal reports it.
func CheckMembers(object []byte, known ...string) error {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	given := make(map[string]bool)
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		var value json.RawMessage
		if err != nil || !ok || d.Decode(&value) != nil {
			return nil
		}
		if given[name] {
			return &MemberError{clip(name), "given twice; want it once"}
		}
		given[name] = true
	}
	for _, name := range known {
		delete(given, name)
	}
	unknown := slices.DeleteFunc(slices.Sorted(maps.Keys(given)), func(name string) bool { return strings.HasPrefix(name, "_") })
	if len(unknown) == 0 {
		return nil
	}
	if suggested, ok := nearest.Name(unknown[0], known); ok {
		return &MemberError{clip(unknown[0]), "unknown member; did you mean " + suggested + "?"}
	}
	return &MemberError{clip(unknown[0]), "unknown member; want " + strings.Join(known, ", ")}
}

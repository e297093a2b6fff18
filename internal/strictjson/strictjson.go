// Package strictjson reads JSON objects by the exact names of their members. encoding/json matches names in any case and accepts
// repeated ones, of which the last counts.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"ticklane/internal/excerpt"
	"ticklane/internal/nearest"
)

// MemberError reports a member of a JSON object that is unknown or given twice.
type MemberError struct {
	Member string // at most 40 bytes of its name
	Msg    string
}

func (e *MemberError) Error() string { return e.Member + ": " + e.Msg }

// Members returns the members of an object by their exact names. The error is a *MemberError if a name is given twice; any other
// error means that the text isn't one JSON object.
func Members(object []byte) (map[string]json.RawMessage, error) {
	notObject := errors.New("not a JSON object")
	if !utf8.Valid(object) || !json.Valid(object) {
		return nil, notObject
	}
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, notObject
	}
	members := make(map[string]json.RawMessage)
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		var value json.RawMessage
		if err != nil || !ok || d.Decode(&value) != nil {
			return nil, notObject
		}
		if _, ok := members[name]; ok {
			return nil, &MemberError{excerpt.Of(name), "given twice; want it once"}
		}
		members[name] = value
	}
	return members, nil
}

// CheckMembers checks the names of an object's members: each must be in known, or start with an underscore, and none may be
// given twice. The error is a *MemberError. Invalid JSON is no error here: json.Unmarshal reports it.
func CheckMembers(object []byte, known ...string) error {
	given, err := Members(object)
	if _, ok := errors.AsType[*MemberError](err); ok {
		return err
	}
	for _, name := range known {
		delete(given, name)
	}
	unknown := slices.DeleteFunc(slices.Sorted(maps.Keys(given)), func(name string) bool { return strings.HasPrefix(name, "_") })
	if len(unknown) == 0 {
		return nil
	}
	if suggested, ok := nearest.Name(unknown[0], known); ok {
		return &MemberError{excerpt.Of(unknown[0]), "unknown member; did you mean " + suggested + "?"}
	}
	return &MemberError{excerpt.Of(unknown[0]), "unknown member; want " + strings.Join(known, ", ")}
}

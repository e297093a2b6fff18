package auth

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"ticklane/internal/excerpt"
)

// maxName bounds subjects, token IDs and names, in bytes. They are shown in lists and logs.
const maxName = 256

// checkName returns an error unless a subject, a token ID or a name can be shown in a line.
func checkName(name string) error {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) {
		return fmt.Errorf("want 1 to %d bytes of UTF-8", maxName)
	}
	for _, r := range name {
		if !unicode.IsGraphic(r) {
			return fmt.Errorf("%q: want no control characters", excerpt.Of(name))
		}
	}
	return nil
}

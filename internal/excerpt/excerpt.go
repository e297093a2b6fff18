// Package excerpt bounds what errors repeat of texts that come from outside.
package excerpt

import "strings"

// limit is the largest number of bytes of an excerpt, without the ellipsis.
const limit = 40

// Of returns a text or, if it is longer than 40 bytes, its beginning and an ellipsis. It cuts no UTF-8 character.
func Of[T ~string | ~[]byte](text T) string {
	if len(text) <= limit {
		return string(text)
	}
	return strings.ToValidUTF8(string(text[:limit]), "") + "…"
}

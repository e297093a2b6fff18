// Package nearest suggests the name that a misspelled one most likely means.
package nearest

import "strings"

// Name returns the known name that differs least from name: in at most two letters or a third of them. It ignores case,
// hyphens and underscores. ok is false if there is none.
func Name(name string, known []string) (nearest string, ok bool) {
	name = fold(name)
	least := TooFar
	for _, k := range known {
		if d := Distance(name, fold(k), max(2, len(name)/3)); d < least && d < len(k) {
			nearest, least = k, d
		}
	}
	return nearest, least < TooFar
}

func fold(name string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
}

// TooFar is the distance of names beyond the limit.
const TooFar = 1 << 20

// maxLength bounds the names that Distance compares, in bytes: its time is their product.
const maxLength = 64

// Distance returns the Levenshtein distance in bytes, or TooFar if it exceeds limit or a name has more than 64 bytes.
func Distance(a, b string, limit int) int {
	if len(a) > maxLength || len(b) > maxLength {
		return TooFar
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	if row[len(b)] > limit {
		return TooFar
	}
	return row[len(b)]
}

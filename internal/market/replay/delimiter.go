package replay

import "strings"

// countFields returns how many fields a line has, with delimiters in quotes not counted.
func countFields(line string, delimiter byte) int {
	n, quoted := 1, false
	for i := range len(line) {
		switch line[i] {
		case '"':
			quoted = !quoted
		case delimiter:
			if !quoted {
				n++
			}
		}
	}
	return n
}

// findDelimiter returns the delimiter that gives most lines the same number of fields, at least two: a comma, if none does. Of equal
// ones a comma is the last, since it is also before decimals.
func findDelimiter(lines []string) byte {
	best, bestLines := byte(','), 0
	for _, delimiter := range []byte{'\t', ';', '|', ','} {
		counts := make(map[int]int)
		for _, line := range lines {
			counts[countFields(line, delimiter)]++
		}
		delete(counts, 1)
		for _, n := range counts {
			if n > bestLines {
				best, bestLines = delimiter, n
			}
		}
	}
	return best
}

// excelDelimiter returns the delimiter that a first line "sep=;" gives, as Excel writes it.
func excelDelimiter(line string) (delimiter byte, ok bool) {
	rest, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(line)), "sep=")
	if !ok || len(rest) > 1 {
		return 0, false
	}
	if rest == "" { // a tab that was trimmed
		return '\t', true
	}
	return rest[0], true
}

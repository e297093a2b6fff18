// Command licenses prints the parts of the binary with their licences, Go modules and npm packages, and writes the texts of
// the licences to a file. It fails if a part has a licence that isn't accepted. Run it in the root of the repository.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// accepted are the licences (SPDX identifiers) that allow to distribute the binary under the MIT licence, with their texts.
var accepted = []string{"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "Unlicense", "Zlib"}

// A part is a module or package that is in the binary.
type part struct {
	name, version string
	declared      string   // SPDX identifier in the lock file of npm
	dir           string   // of its files
	licences      []string // SPDX identifiers, sorted
	texts         []string // of its licence and notice files
}

func main() {
	out := flag.String("out", "", "file for the texts of the licences")
	flag.Parse()
	if err := run(os.Stdout, *out); err != nil {
		fmt.Fprintln(os.Stderr, "licenses:", err)
		os.Exit(1)
	}
}

func run(table io.Writer, out string) error {
	parts, err := goParts()
	if err != nil {
		return err
	}
	packages, err := npmParts(".")
	if err != nil {
		return err
	}
	parts = append(parts, packages...)
	var refused []string
	for i := range parts {
		p := &parts[i]
		if err := p.read(); err != nil {
			return err
		}
		for _, l := range p.licences {
			if !slices.Contains(accepted, l) {
				refused = append(refused, fmt.Sprintf("%s %s: %s", p.name, p.version, l))
			}
		}
	}
	tab := tabwriter.NewWriter(table, 0, 0, 2, ' ', 0)
	for _, p := range parts {
		fmt.Fprintf(tab, "%s\t%s\t%s\n", p.name, p.version, strings.Join(p.licences, ", "))
	}
	tab.Flush()
	if len(refused) > 0 {
		return fmt.Errorf("licences that are not accepted (scripts/licenses/main.go has the list):\n  %s", strings.Join(refused, "\n  "))
	}
	if out == "" {
		return nil
	}
	return os.WriteFile(out, []byte(document(parts)), 0o644)
}

// document returns the texts of all licences. A text that several parts share is printed once.
func document(parts []part) string {
	var b strings.Builder
	b.WriteString("Ticklane contains these parts of others, with these licences.\n")
	owners := map[string][]string{} // text → parts
	var order []string
	for _, p := range parts {
		for _, t := range p.texts {
			if owners[t] == nil {
				order = append(order, t)
			}
			owners[t] = append(owners[t], p.name+" "+p.version)
		}
	}
	for _, t := range order {
		fmt.Fprintf(&b, "\n%[1]s\n%[2]s\n%[1]s\n\n%[3]s\n", strings.Repeat("=", 80), strings.Join(owners[t], "\n"), strings.TrimSpace(t))
	}
	return b.String()
}

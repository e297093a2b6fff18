package config

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// Flags adds --config and a flag for every key. Flags accept any text, which Load validates together with the other sources.
// The flag of a list may be repeated.
func Flags(fs *pflag.FlagSet) {
	fs.String(fileFlag, defaultFile, "YAML file to read, which must exist if named here")
	for k := range everyKey() {
		f := fs.VarPF(&flagValue{kind: k.kind, text: k.def}, k.name, "", k.doc+" ("+k.kind.allowed()+")")
		if _, ok := k.kind.(boolean); ok {
			f.NoOptDefVal = "true"
		}
	}
}

// flagValue is the unvalidated text of a flag.
type flagValue struct {
	kind kind
	text string
	set  bool
}

func (v *flagValue) String() string { return v.text }

func (v *flagValue) Set(s string) error {
	if _, ok := v.kind.(list); ok && v.set {
		s = v.text + "," + s
	}
	v.text, v.set = s, true
	return nil
}

// Type returns the placeholder in pflag's usage text.
func (v *flagValue) Type() string {
	switch v.kind.(type) {
	case integer:
		return "int"
	case number, speed, rateLimit:
		return "number"
	case duration, days:
		return "duration"
	case boolean:
		return "bool"
	case list:
		return "list"
	default:
		return "text"
	}
}

const usageHead = `Serve the dashboard and the market feed over SSE and WebSocket.

Usage:
  ticklane serve [flags]      the same as: ticklane [flags]
  ticklane load [flags]       compare both lanes under load; see ticklane load --help
  ticklane feed NAME [flags]  send a public feed to a server; see ticklane feed --help
  ticklane health [flags]     report by the exit code whether the server on this machine is ready
  ticklane token …            make, list and revoke tokens; see ticklane token --help
  ticklane version            print the version

Examples:
  ticklane                                            the dashboard on http://localhost:3000
  ticklane --market.rate 5000 --market.symbols 500    a busier market
  ticklane --feed.source replay --feed.file ACME.csv --feed.speed 86400
                                                      a file, here a day per second; see docs/replay.md
  ticklane --feed.source ingest --data.dir data       a live feed of your own; see docs/ingest.md
  TICKLANE_SERVER_ADDR=:8080 ticklane --server.hosts quotes.example.com --log.format json
                                                      accessible from other machines

Flags override environment variables, which override ./config.yaml. The variable of each flag is shown as $NAME;
in the file, the part before the dot is the section. Durations have units: 250ms, 15s, 2h. Lists have commas.
All invalid settings are reported at once, and the server does not start.

`

// Usage returns the help text of the serve command: every setting by section with its default, the allowed values and its
// environment variable, at most 112 columns wide.
func Usage() string {
	var b strings.Builder
	b.WriteString(usageHead)
	row(&b, "--"+fileFlag+" "+defaultFile, "YAML file to read. The default file may be missing.", "$"+fileEnv)
	for _, g := range sections {
		fmt.Fprintf(&b, "\n%s: %s\n", strings.ToUpper(g.name[:1])+g.name[1:], g.doc)
		for _, k := range g.keys {
			row(&b, "--"+k.name+k.between()+k.shownDefault(), k.doc, k.kind.allowed()+"  $"+k.env())
		}
	}
	b.WriteString("\n--help  this text\n")
	return b.String()
}

// shownDefault returns the default as shown in the help text and in config.yaml.
func (k key) shownDefault() string {
	switch {
	case k.def != "":
		return k.def
	case k.isList():
		return "[]"
	default:
		return `""`
	}
}

// between returns the text between a flag and its value: "=" for a boolean, since pflag reads "--lab.enabled false" as
// "--lab.enabled" and an argument.
func (k key) between() string {
	if _, ok := k.kind.(boolean); ok {
		return "="
	}
	return " "
}

func (k key) isList() bool {
	_, ok := k.kind.(list)
	return ok
}

// row writes a flag with its default and, in a second column, lines.
func row(b *strings.Builder, flag string, lines ...string) {
	const left, width = 34, 74
	first := "  " + flag
	for _, line := range lines {
		for _, l := range wrap(line, width) {
			fmt.Fprintf(b, "%-*s  %s\n", left, first, l)
			first = ""
		}
	}
}

// wrap splits a text between words into lines of at most width runes.
func wrap(s string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.SplitSeq(s, " ") {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines = append(lines, strings.TrimRight(line, " "))
			line = word
			continue
		}
		if line != "" || word == "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

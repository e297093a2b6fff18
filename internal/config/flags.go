package config

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// Flags adds --config and a flag for every key. Flags take any text: Load judges it, so that mistakes on the command
// line are told together with all others. A list's flag may stand several times.
func Flags(fs *pflag.FlagSet) {
	fs.String(fileFlag, defaultFile, "YAML file to read; optional unless named here")
	for k := range everyKey() {
		f := fs.VarPF(&flagValue{kind: k.kind, text: k.def}, k.name, "", k.doc+" ("+k.kind.allowed()+")")
		if _, ok := k.kind.(boolean); ok {
			f.NoOptDefVal = "true"
		}
	}
}

// flagValue keeps what the command line says, unjudged.
type flagValue struct {
	kind kind
	text string
	set  bool
}

func (v *flagValue) String() string { return v.text }

func (v *flagValue) Set(s string) error {
	if _, many := v.kind.(list); many && v.set {
		s = v.text + "," + s
	}
	v.text, v.set = s, true
	return nil
}

// Type is the placeholder in pflag's usage text.
func (v *flagValue) Type() string {
	switch v.kind.(type) {
	case integer:
		return "int"
	case number, speed:
		return "number"
	case duration:
		return "duration"
	case boolean:
		return "bool"
	case list:
		return "list"
	default:
		return "text"
	}
}

const usageHead = `Serve the market feed over SSE and WebSocket, with the dashboard.

Usage:
  ticklane serve [flags]      or plain:  ticklane [flags]
  ticklane load [flags]       measure the lanes against each other under load: ticklane load --help
  ticklane version            print the version

Examples:
  ticklane                                            the dashboard on http://localhost:3000
  ticklane --market.rate 5000 --market.symbols 500    a busier market
  TICKLANE_SERVER_ADDR=:8080 ticklane --server.hosts quotes.example.com --log.format json
                                                      for other machines, set by environment and flags

Settings come from ./config.yaml, over it the environment, over that the flags. Every flag has a variable, shown
as $NAME; in the file the part before the dot is the section. Durations are written 250ms, 15s, 2h;
lists with commas. All mistakes are told at once, and nothing starts with one.

`

// Usage is the whole help text of the serve command: every setting by section with its default, what is allowed
// and its environment variable, at most 110 columns wide.
func Usage() string {
	var b strings.Builder
	b.WriteString(usageHead)
	row(&b, "--"+fileFlag+" "+defaultFile, "YAML file to read; it may be missing unless it is named.", "$"+fileEnv)
	for _, g := range sections {
		fmt.Fprintf(&b, "\n%s: %s\n", strings.ToUpper(g.name[:1])+g.name[1:], g.doc)
		for _, k := range g.keys {
			row(&b, "--"+k.name+k.between()+k.shownDefault(), k.doc, k.kind.allowed()+"  $"+k.env())
		}
	}
	b.WriteString("\n--help  this text\n")
	return b.String()
}

// shownDefault is the default as the help text shows it.
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

// between is what stands between a flag and its value: pflag takes "--lab.enabled false" for "--lab.enabled".
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

// row writes a flag with its default, and beside it what it means, then what is allowed.
func row(b *strings.Builder, flag string, lines ...string) {
	const left, width = 34, 74
	head := "  " + flag
	for _, line := range lines {
		for _, l := range wrap(line, width) {
			fmt.Fprintf(b, "%-*s  %s\n", left, head, l)
			head = ""
		}
	}
}

// wrap breaks a text between words into lines of at most width runes.
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

// Package i18n holds the texts of the pages in every language, and chooses the language of a request.
package i18n

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"regexp"
	"strings"
)

// Catalogue holds the texts of one language by key, as read from views/text/<language>.json. It is immutable.
// Templates read it here, browser code through web/text.js; both follow the same rules.
type Catalogue struct {
	lang    string
	base    string // before the addresses of links
	texts   map[string]text
	scripts map[string]template.JS // by page
}

// text may contain {placeholders}. A text that depends on a number has two forms: English needs no more, Chinese only one.
type text struct {
	one, other string
}

// UnmarshalJSON reads a string, or an object with the members one and other.
func (t *text) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &t.other) == nil {
		t.one = t.other
		return nil
	}
	var forms struct{ One, Other *string }
	if err := json.Unmarshal(b, &forms); err != nil {
		return err
	}
	if forms.One == nil || forms.Other == nil {
		return fmt.Errorf("want a string, or an object with one and other: %s", b)
	}
	t.one, t.other = *forms.One, *forms.Other
	return nil
}

// Load reads the catalogues of all Languages from the folder text of views. Its pages.json lists which areas of keys the
// scripts of each page use; the area of the key lane.lost is lane. base is the path before the addresses of links.
func Load(views fs.FS, base string) (map[string]*Catalogue, error) {
	var areas map[string][]string // by page
	if err := readJSON(views, "text/pages.json", &areas); err != nil {
		return nil, err
	}
	all := make(map[string]*Catalogue, len(Languages))
	for _, lang := range Languages {
		name := "text/" + lang + ".json"
		c := &Catalogue{lang: lang, base: base, scripts: make(map[string]template.JS, len(areas))}
		if err := readJSON(views, name, &c.texts); err != nil {
			return nil, err
		}
		var raw map[string]json.RawMessage
		if err := readJSON(views, name, &raw); err != nil {
			return nil, err
		}
		for page, used := range areas {
			b, err := json.Marshal(inAreas(raw, used)) // escapes <, > and &: no text can end the script element
			if err != nil {
				return nil, err
			}
			c.scripts[page] = template.JS(b)
		}
		all[lang] = c
	}
	return all, nil
}

// inAreas returns the texts whose keys are in one of the areas.
func inAreas(texts map[string]json.RawMessage, areas []string) map[string]json.RawMessage {
	found := map[string]json.RawMessage{}
	for key, value := range texts {
		for _, area := range areas {
			if strings.HasPrefix(key, area+".") {
				found[key] = value
			}
		}
	}
	return found
}

func readJSON(files fs.FS, name string, into any) error {
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Lang returns the catalogue's BCP 47 tag.
func (c *Catalogue) Lang() string { return c.lang }

// Scripts returns the texts that the scripts of a page use, as a JSON object by key.
func (c *Catalogue) Scripts(page string) template.JS { return c.scripts[page] }

// Has reports whether the catalogue has a text for key.
func (c *Catalogue) Has(key string) bool {
	_, ok := c.texts[key]
	return ok
}

// Text returns the text of key with its placeholders replaced. The arguments are pairs of a placeholder's name and its
// value; the value 1 of n selects the text's form one. An unknown key is returned as it is, so that a page with a missing
// text can still be used.
func (c *Catalogue) Text(key string, args ...any) string {
	t, ok := c.texts[key]
	if !ok {
		return key
	}
	return t.format(args)
}

func (t text) format(args []any) string {
	form, replacements := t.other, make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == "n" && args[i+1] == 1 {
			form = t.one
		}
		replacements = append(replacements, fmt.Sprintf("{%v}", args[i]), fmt.Sprint(args[i+1]))
	}
	return strings.NewReplacer(replacements...).Replace(form)
}

// markup is what a text may contain besides words: `code` and [link text](/address).
var markup = regexp.MustCompile("`([^`]+)`|\\[([^\\]]+)\\]\\((/[^)\\s]*)\\)")

// literal escapes a value so that no part of it is read as markup.
var literal = strings.NewReplacer("`", "&#96;", "[", "&#91;")

// HTML is Text with markup rendered as elements. Everything else is escaped, and values are never markup.
func (c *Catalogue) HTML(key string, args ...any) template.HTML {
	t, ok := c.texts[key]
	if !ok {
		return template.HTML(template.HTMLEscapeString(key))
	}
	escaped := make([]any, len(args))
	for i, a := range args {
		escaped[i] = a
		if s, ok := a.(string); ok && i%2 == 1 {
			escaped[i] = literal.Replace(template.HTMLEscapeString(s))
		}
	}
	t = text{one: template.HTMLEscapeString(t.one), other: template.HTMLEscapeString(t.other)}
	return template.HTML(markup.ReplaceAllStringFunc(t.format(escaped), func(m string) string {
		part := markup.FindStringSubmatch(m)
		if part[1] != "" {
			return "<code>" + part[1] + "</code>"
		}
		return `<a href="` + c.base + part[3] + `">` + part[2] + "</a>"
	}))
}

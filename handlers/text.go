package handlers

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"regexp"
	"strings"
)

// A catalogue is every sentence of one language by its key: views/text/<language>.json. Templates read it here, the
// browser's code through web/text.js, by the same rules.
type catalogue struct {
	lang  string
	texts map[string]text
	sent  map[string]template.JS // page → what its scripts need of it, as JSON
}

// text is a sentence with {placeholders}. One that goes by a number has a form for one and a form for others: English
// needs both, and no language of ours needs a third.
type text struct {
	one, other string
}

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
		return fmt.Errorf("want a sentence, or one and other: %s", b)
	}
	t.one, t.other = *forms.One, *forms.Other
	return nil
}

// loadText reads the catalogues. pages.json names the areas of keys that each page's scripts use: key "lane.lost" is of
// area lane.
func loadText(views fs.FS) (map[string]*catalogue, error) {
	var pages map[string][]string
	if err := readJSON(views, "text/pages.json", &pages); err != nil {
		return nil, err
	}
	all := make(map[string]*catalogue, len(languages))
	for _, lang := range languages {
		c := &catalogue{lang: lang, sent: make(map[string]template.JS, len(pages))}
		if err := readJSON(views, "text/"+lang+".json", &c.texts); err != nil {
			return nil, err
		}
		var raw map[string]json.RawMessage
		if err := readJSON(views, "text/"+lang+".json", &raw); err != nil {
			return nil, err
		}
		for page, areas := range pages {
			part := map[string]json.RawMessage{}
			for key, value := range raw {
				for _, area := range areas {
					if strings.HasPrefix(key, area+".") {
						part[key] = value
					}
				}
			}
			b, err := json.Marshal(part) // escapes <, > and &, so nothing in it can end the script element
			if err != nil {
				return nil, err
			}
			c.sent[page] = template.JS(b)
		}
		all[lang] = c
	}
	return all, nil
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

func (c *catalogue) has(key string) bool {
	_, ok := c.texts[key]
	return ok
}

// say fills the sentence of a key from pairs of names and values; n chooses its form. A key that doesn't exist reads as
// itself: a page with a hole in it is better than none.
func (c *catalogue) say(key string, pairs ...any) string {
	t, ok := c.texts[key]
	if !ok {
		return key
	}
	form, fill := t.other, make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] == "n" && pairs[i+1] == 1 {
			form = t.one
		}
		fill = append(fill, fmt.Sprintf("{%v}", pairs[i]), fmt.Sprint(pairs[i+1]))
	}
	return strings.NewReplacer(fill...).Replace(form)
}

// marks are the two pieces of markup that a sentence may hold: `code` and [text](address).
var marks = regexp.MustCompile("`([^`]+)`|\\[([^\\]]+)\\]\\((/[^)\\s]*)\\)")

// rich is say with its marks as HTML; everything else is escaped, and values never are marks.
func (c *catalogue) rich(key string, pairs ...any) template.HTML {
	escaped := make([]any, len(pairs))
	for i, p := range pairs {
		escaped[i] = p
		if s, ok := p.(string); ok && i%2 == 1 {
			escaped[i] = strings.NewReplacer("`", "&#96;", "[", "&#91;").Replace(template.HTMLEscapeString(s))
		}
	}
	t, ok := c.texts[key]
	if !ok {
		return template.HTML(template.HTMLEscapeString(key))
	}
	own := &catalogue{texts: map[string]text{key: {template.HTMLEscapeString(t.one), template.HTMLEscapeString(t.other)}}}
	return template.HTML(marks.ReplaceAllStringFunc(own.say(key, escaped...), func(m string) string {
		part := marks.FindStringSubmatch(m)
		if part[1] != "" {
			return "<code>" + part[1] + "</code>"
		}
		return `<a href="` + part[3] + `">` + part[2] + "</a>"
	}))
}

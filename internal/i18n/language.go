package i18n

import (
	"strings"

	"golang.org/x/text/language"
)

// Languages are the BCP 47 tags of the catalogues. The first is the default.
var Languages = []string{"en", "zh-CN"}

// Negotiate returns the language of a page: the one that the address requests (lang), else the one that the user chose
// before (cookie), else the preferred one of Accept-Language, else the default. Values that match no catalogue are
// ignored.
func Negotiate(lang, cookie, acceptLanguage string) string {
	for _, tag := range []string{lang, cookie} {
		if t, err := language.Parse(tag); err == nil {
			if found, ok := match(t); ok {
				return found
			}
		}
	}
	return preferred(acceptLanguage)
}

// preferred returns the language with the greatest weight in an Accept-Language header (RFC 9110 §12.5.4), the first of
// equal weights. A malformed header counts as none.
func preferred(header string) string {
	// Lower case: ParseAcceptLanguage accepts no "Q=".
	tags, weights, err := language.ParseAcceptLanguage(strings.ToLower(header))
	if err != nil {
		return Languages[0]
	}
	for i, tag := range tags {
		if !(weights[i] <= 1) { // NaN, too
			continue
		}
		if found, ok := match(tag); ok {
			return found
		}
	}
	return Languages[0]
}

// match returns the catalogue's language with the base and the script of tag, given or implied: zh is zh-Hans, zh-TW is
// zh-Hant. It doesn't use language.Matcher, which serves simplified Chinese to readers of traditional Chinese and
// English for any language that CLDR declares close to it.
func match(tag language.Tag) (string, bool) {
	base, _ := tag.Base()
	script, _ := tag.Script()
	for _, name := range Languages {
		own := language.MustParse(name)
		ownBase, _ := own.Base()
		ownScript, _ := own.Script()
		if base == ownBase && script == ownScript {
			return name, true
		}
	}
	return "", false
}

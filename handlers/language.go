package handlers

import (
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// languages are those of the catalogues. The first is for everybody who reads none of them.
var languages = []string{"en", "zh-CN"}

// language is a page's: what its address asks for, what the person chose before, what the browser prefers.
func language(c *fiber.Ctx) string {
	c.Vary(fiber.HeaderAcceptLanguage, fiber.HeaderCookie)
	lang := known(c.Query("lang"))
	if lang == "" {
		lang = known(c.Cookies("lang"))
	}
	if lang == "" {
		lang = preferred(c.Get(fiber.HeaderAcceptLanguage))
	}
	c.Set(fiber.HeaderContentLanguage, lang)
	return lang
}

// preferred reads Accept-Language (RFC 9110 §12.5.4): the language of ours with the greatest weight, of equal ones the
// first.
func preferred(list string) string {
	best, most := languages[0], 0.0
	for part := range strings.SplitSeq(list, ",") {
		tag, weight, weighted := strings.Cut(part, ";")
		q := 1.0
		if weighted {
			name, value, _ := strings.Cut(strings.TrimSpace(weight), "=")
			var err error
			if q, err = strconv.ParseFloat(value, 64); err != nil || !strings.EqualFold(name, "q") || !(q <= 1) {
				continue
			}
		}
		if lang := known(strings.TrimSpace(tag)); lang != "" && q > most {
			best, most = lang, q
		}
	}
	return best
}

// known returns the language of ours that a tag (RFC 5646) stands for, or "". Chinese is the simplified one unless the
// tag says otherwise; who reads the traditional script is not given the other without having asked.
func known(tag string) string {
	parts := strings.Split(strings.ToLower(tag), "-")
	switch parts[0] {
	case "en":
		return "en"
	case "zh":
		for _, p := range parts[1:] {
			switch p {
			case "hant", "tw", "hk", "mo":
				return ""
			case "hans":
				return "zh-CN"
			}
		}
		return "zh-CN"
	}
	return ""
}

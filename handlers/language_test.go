package handlers

import (
	"encoding/json"
	"html/template"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestPreferredLanguage(t *testing.T) {
	for list, want := range map[string]string{
		"": "en", "en": "en", "zh": "zh-CN", "zh-CN": "zh-CN", "ZH-cn": "zh-CN", "zh-Hans": "zh-CN", "zh-Hans-SG": "zh-CN", "zh-SG,zh;q=0.9": "zh-CN",
		"zh-TW": "en", "zh-Hant": "en", "zh-Hant-CN": "en", "zh-Hans-HK": "zh-CN", "zh-HK,zh;q=0.5": "zh-CN",
		"en,zh": "en", "zh,en": "zh-CN", "en;q=0.8,zh;q=0.9": "zh-CN", "zh;q=0.8, en ; q=0.9": "en", "de, zh-CN;q=0.3, en;q=0.2": "zh-CN", "de,fr": "en",
		"zh;q=0": "en", "zh;q=0,en;q=0": "en", "*": "en", "zh;q=2": "en", "zh;q=x": "en", "zh;q=NaN": "en", "zh;level=1": "en", "zh; Q=1": "zh-CN",
		";;,,=": "en", "zhx": "en", "de;q=1,zh;q=0.001": "zh-CN",
	} {
		if have := preferred(list); have != want {
			t.Errorf("Accept-Language %q: %s, want %s", list, have, want)
		}
	}
}

func FuzzPreferredLanguage(f *testing.F) {
	f.Add("zh-Hans;q=0.9, en;q=0.8, *;q=0")
	f.Add("zh;q=,=;q")
	f.Fuzz(func(t *testing.T, list string) {
		if have := preferred(list); !slices.Contains(languages, have) {
			t.Errorf("%q: %q", list, have)
		}
		if strings.Count(list, "zh") == 0 && strings.Count(strings.ToLower(list), "zh") == 0 && preferred(list) != "en" {
			t.Errorf("%q: Chinese, which nobody asked for", list)
		}
	})
}

// A page's language: what the address asks for, then the choice made before, then the browser's wish.
func TestPageLanguage(t *testing.T) {
	h := open(t, plan{})
	lang := regexp.MustCompile(`<html lang="([^"]+)"`)
	for _, c := range []struct{ query, cookie, accept, want string }{
		{"", "", "", "en"},
		{"", "", "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"},
		{"", "en", "zh-CN", "en"},
		{"", "zh-CN", "en", "zh-CN"},
		{"?lang=en", "zh-CN", "zh-CN", "en"},
		{"?lang=zh", "en", "en", "zh-CN"},
		{"?lang=tlh", "zh-CN", "en", "zh-CN"},
		{"?lang=%22%3E", "%22", "zh", "zh-CN"},
	} {
		for _, path := range []string{"/", "/reports", "/compare", "/sse/home", "/ws/home", "/nothing"} {
			answer, body := h.get(path+c.query, "Accept: text/html", "Cookie: lang="+c.cookie, "Accept-Language: "+c.accept)
			m := lang.FindStringSubmatch(body)
			if m == nil || m[1] != c.want || answer.header.Get("Content-Language") != c.want {
				t.Errorf("%s %+v: %q, Content-Language %q", path, c, m, answer.header.Get("Content-Language"))
			}
			if vary := strings.Join(answer.header.Values("Vary"), ", "); !strings.Contains(vary, "Accept-Language") || !strings.Contains(vary, "Cookie") {
				t.Errorf("%s: Vary %q", path, vary)
			}
		}
	}
	// Programs get the same problem whatever language their user reads.
	answer, body := h.get("/api/nothing", "Accept-Language: zh-CN")
	if p := told(t, answer, body, 404); p.Title != "Not Found" || answer.header.Get("Content-Language") != "" {
		t.Errorf("%v %s", answer.header, body)
	}
}

// What the page's scripts say comes with the page.
func TestPageText(t *testing.T) {
	h := open(t, plan{deps: func(d *Deps) { d.Files = built() }})
	part := regexp.MustCompile(`(?s)<script type="application/json" id="text" lang="([^"]+)">(.*?)</script>`)
	for lang, want := range map[string]string{"en": "Live", "zh-CN": "实时"} {
		_, body := h.get("/?lang="+lang, "Accept: text/html")
		m := part.FindStringSubmatch(body)
		if m == nil || m[1] != lang {
			t.Fatalf("%s: the page's text is %.100q", lang, m)
		}
		var texts map[string]any
		if err := json.Unmarshal([]byte(m[2]), &texts); err != nil {
			t.Fatal(err)
		}
		if texts["bar.state.live"] != want || texts["page.title"] != nil || len(texts) < 50 {
			t.Errorf("%s: %d texts, live is %v", lang, len(texts), texts["bar.state.live"])
		}
	}
	for lang, want := range map[string]string{"en": `"Connection lost{why}"`, "zh-CN": `"连接中断{why}"`} {
		_, body := h.get("/compare?lang="+lang, "Accept: text/html")
		if m := part.FindStringSubmatch(body); m == nil || m[1] != lang || !strings.Contains(m[2], want) {
			t.Errorf("/compare in %s: %.200q", lang, m)
		}
	}
}

func TestSay(t *testing.T) {
	var c catalogue
	if err := json.Unmarshal([]byte(`{"a":{"one":"{n} of {s}","other":"{n}s of {s}"},"b":"<see> `+"`{x}`"+` and [it](/y)"}`), &c.texts); err != nil {
		t.Fatal(err)
	}
	for want, have := range map[string]string{
		"1 of {n}": c.say("a", "n", 1, "s", "{n}"), "0s of A": c.say("a", "n", 0, "s", "A"), "nope": c.say("nope", "n", 1), "2s of {s}": c.say("a", "n", 2),
	} {
		if have != want {
			t.Errorf("%q, want %q", have, want)
		}
	}
	if have, want := c.rich("b", "x", "<b>`[t](/u)"), template.HTML(`&lt;see&gt; <code>&lt;b&gt;&#96;&#91;t](/u)</code> and <a href="/y">it</a>`); have != want {
		t.Errorf("%s\nwant %s", have, want)
	}
	for _, bad := range []string{`{"a":{"one":"x"}}`, `{"a":{"other":"x"}}`, `{"a":7}`, `{"a":["x"]}`} {
		if json.Unmarshal([]byte(bad), &c.texts) == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

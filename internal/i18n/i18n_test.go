package i18n

import (
	"encoding/json"
	"html/template"
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
		if have := preferred(list); !slices.Contains(Languages, have) {
			t.Errorf("%q: %q", list, have)
		}
		if strings.Count(list, "zh") == 0 && strings.Count(strings.ToLower(list), "zh") == 0 && preferred(list) != "en" {
			t.Errorf("%q: Chinese without a request for it", list)
		}
	})
}

func TestText(t *testing.T) {
	var c Catalogue
	if err := json.Unmarshal([]byte(`{"a":{"one":"{n} of {s}","other":"{n}s of {s}"},"b":"<see> `+"`{x}`"+` and [it](/y)"}`), &c.texts); err != nil {
		t.Fatal(err)
	}
	for want, have := range map[string]string{
		"1 of {n}": c.Text("a", "n", 1, "s", "{n}"), "0s of A": c.Text("a", "n", 0, "s", "A"), "nope": c.Text("nope", "n", 1), "2s of {s}": c.Text("a", "n", 2),
	} {
		if have != want {
			t.Errorf("%q, want %q", have, want)
		}
	}
	if have, want := c.HTML("b", "x", "<b>`[t](/u)"), template.HTML(`&lt;see&gt; <code>&lt;b&gt;&#96;&#91;t](/u)</code> and <a href="/y">it</a>`); have != want {
		t.Errorf("%s\nwant %s", have, want)
	}
	for _, bad := range []string{`{"a":{"one":"x"}}`, `{"a":{"other":"x"}}`, `{"a":7}`, `{"a":["x"]}`} {
		if json.Unmarshal([]byte(bad), &c.texts) == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

package handlers_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"ticklane/handlers"
	"ticklane/internal/testkit/testserver"
)

// TestPageLanguage checks the order of precedence: address, cookie, Accept-Language.
func TestPageLanguage(t *testing.T) {
	srv := newTestServer(t, testserver.Options{})
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
			answer, body := srv.Get(path+c.query, "Accept: text/html", "Cookie: lang="+c.cookie, "Accept-Language: "+c.accept)
			m := lang.FindStringSubmatch(body)
			if m == nil || m[1] != c.want || answer.Header.Get("Content-Language") != c.want {
				t.Errorf("%s %+v: %q, Content-Language %q", path, c, m, answer.Header.Get("Content-Language"))
			}
			if vary := strings.Join(answer.Header.Values("Vary"), ", "); !strings.Contains(vary, "Accept-Language") || !strings.Contains(vary, "Cookie") {
				t.Errorf("%s: Vary %q", path, vary)
			}
		}
	}
	// Problems are English in every language.
	answer, body := srv.Get("/api/nothing", "Accept-Language: zh-CN")
	if p := wantProblem(t, answer, body, 404); p.Title != "Not Found" || answer.Header.Get("Content-Language") != "" {
		t.Errorf("%v %s", answer.Header, body)
	}
}

// TestPageText checks that a page contains the texts of its scripts.
func TestPageText(t *testing.T) {
	srv := newTestServer(t, testserver.Options{Deps: func(d *handlers.Deps) { d.Files = builtFiles() }})
	part := regexp.MustCompile(`(?s)<script type="application/json" id="text" lang="([^"]+)">(.*?)</script>`)
	for lang, want := range map[string]string{"en": "Live", "zh-CN": "实时"} {
		_, body := srv.Get("/?lang="+lang, "Accept: text/html")
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
		_, body := srv.Get("/compare?lang="+lang, "Accept: text/html")
		if m := part.FindStringSubmatch(body); m == nil || m[1] != lang || !strings.Contains(m[2], want) {
			t.Errorf("/compare in %s: %.200q", lang, m)
		}
	}
}

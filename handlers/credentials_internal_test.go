package handlers

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
)

func FuzzBearerSubprotocol(f *testing.F) {
	for _, seed := range []string{"ticklane.v1.json, ticklane.bearer.dGxfeA", "ticklane.bearer.", "ticklane.bearer.dGxfeA==", "ticklane.bearer.YQ,ticklane.bearer.YQ", ",\t ,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		if strings.ContainsAny(list, "\r\n") {
			return // a header field has none
		}
		token, present, err := bearerSubprotocol([]string{list})
		switch {
		case err != nil && !strings.Contains(list, bearerProtocol), present != strings.Contains(list, bearerProtocol) && err == nil && strings.HasPrefix(list, bearerProtocol):
			t.Fatalf("%q: %q, %t, %v", list, token, present, err)
		case err == nil && present && !strings.Contains(list, base64.RawURLEncoding.EncodeToString([]byte(token))):
			t.Fatalf("%q: the token %q isn't in it", list, token)
		}
	})
}

func FuzzNext(f *testing.F) {
	for _, seed := range []string{"/", "/docs?x=%22", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "/sign-out", "/%2f/evil.example", "/:@evil.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		next := nextOf(text)
		// As a browser resolves it: a relative reference, of which it removes line breaks and takes \ for /.
		clean := strings.ReplaceAll(strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(next), `\`, "/")
		base, _ := url.Parse("http://own.example/sign-in")
		u, err := base.Parse(clean)
		if err != nil || u.Host != "own.example" || u.Scheme != "http" || !strings.HasPrefix(next, "/") {
			t.Fatalf("%q leads to %q: %v, %v", text, next, u, err)
		}
	})
}

func TestWithoutCredentials(t *testing.T) {
	for query, want := range map[string]string{
		"": "", "a=1&b": "a=1&b", "token=x&a=1": "a=1", "a=1&Access_Token=x": "a=1", "ticket=tk_x": "", "q=tl_abc&q=eyJx&q=x": "q=x", "symbol=A%26B&id_token=": "symbol=A%26B",
	} {
		if got := withoutCredentials(query); got != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
}

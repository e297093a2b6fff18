package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ticklane/internal/testkit/oidctest"
)

// serveProvider starts a server whose pages need a token of this file, or to sign in at a provider, where everybody is ann.
func serveProvider(t testing.TB, tokens string, flags ...string) *server {
	t.Helper()
	p := oidctest.New(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(oidctest.ClientSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, append([]string{"--auth.mode=token", "--auth.tokens", tokens,
		"--auth.oidc.issuer", p.URL, "--auth.oidc.client_id", oidctest.ClientID, "--auth.oidc.client_secret_file", secret,
		"--auth.oidc.redirect_url=http://127.0.0.1:1/sign-in/callback", `--auth.oidc.rights=[{"read":["*"]}]`}, flags...)...)
	p.Callback = s.url + "/sign-in/callback" // the port isn't known before
	return s
}

// userTab is a tab of either browser, with what a person does in it.
type userTab interface {
	anyTab
	visit(url string)
	click(selector string)
}

// signInAndOut signs in with bob's token and as ann at the provider, and out in the settings and on the page for it.
func signInAndOut(b userTab, s *server, bob string) {
	d := b.doc()
	d.t.Helper()
	signInPage := func(condition string) {
		d.t.Helper()
		d.until("the sign-in page", `location.pathname === '/sign-in' && document.querySelector('#token') && `+condition)
	}
	b.visit(s.url + "/?symbol=MSFT&lane=ws")
	signInPage(`document.querySelector('[name=next]').value === '/?symbol=MSFT&lane=ws'`)
	d.run(fmt.Sprintf("document.querySelector('#token').value = %q", bob))
	b.click("form button")
	d.waitLive()
	b.click("#settings-open")
	d.until("the user", `document.querySelector('#account-user').textContent === 'Signed in as bob'`)
	b.click("#account-form button")
	signInPage("true")

	b.visit(s.url + "/?symbol=NVDA")
	signInPage("true")
	b.click(`a[href*="/sign-in/oidc"]`)
	d.waitLive()
	d.until("the user", `document.querySelector('#account-user').textContent === 'Signed in as ann' && document.querySelector('#q-symbol').textContent === 'NVDA'`)
	b.visit(s.url + "/sign-out")
	b.click("form button")
	signInPage("true")
	b.visit(s.url + "/")
	signInPage("true")
}

// TestUsersOfOneBrowser signs in and out in every way, then as one user and as another: the earlier page ends its stream and says so.
// Signing out in one tab ends the streams of all; signing in again revives them; a revoked token ends them for good.
func TestUsersOfOneBrowser(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	ann, bob := newToken(t, file, "ann", "--read", "*"), newToken(t, file, "bob", "--read", "AAPL,sector:energy")
	s := serveProvider(t, file)
	first := openTab(t)
	second := first.sibling()
	emulateFocus(first, second)
	notice := func(b *tab, pattern string) {
		t.Helper()
		b.until("the notice "+pattern, "!document.querySelector('#banner').hidden && /"+pattern+"/.test(document.querySelector('#banner-text').textContent)")
	}

	signInAndOut(first, s, bob)
	first.visit(s.url + "/?lane=sse")
	first.auditBothThemes()
	first.signIn(ann)
	first.waitLive()
	second.visit(s.url + "/sign-in")
	second.signIn(bob)
	second.waitLive()
	notice(first, "^bob has signed in to this browser")
	second.until("what the access covers", `/^Your access covers part/.test(document.querySelector('#lane-access').textContent)`)
	second.until("the rows", `document.querySelectorAll('#rows [role=row]').length === 4`)
	second.counters(map[string]int{"lost": 0, "doubled": 0, "gaps": 0})

	first.click("#banner-action") // reload
	first.waitLive()
	second.press(",")
	second.until("the user", `document.querySelector('#account-user').textContent === 'Signed in as bob'`)
	second.click("#account-form button")
	second.until("the sign-in page", `location.pathname === '/sign-in'`)
	notice(first, "^You have signed out")
	second.visit(s.url + "/?symbol=MSFT")
	second.signIn(bob)
	second.waitLive()
	notice(second, "unknown here: MSFT\\. The page shows AAPL")
	second.until("the address of what is shown", `location.search === '?symbol=AAPL'`)
	first.waitLive()
	ticksArrive(first, second)

	if out, err := exec.Command(binary, "token", "revoke", "bob", "--file", file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, b := range []*tab{first, second} {
		notice(b, "^You were signed out, or your access was revoked")
	}
	first.click("#banner-action")
	first.until("the sign-in page", `location.pathname === '/sign-in' && document.querySelector('[name=next]').value.startsWith('/?')`)
}

// accessScenes are what people see of the access control. Only -pictures shows them; TestUsersOfOneBrowser audits the sign-in page.
var accessScenes = []scene{
	{"sign-in", func(b *tab, _ sceneServers) { b.visitAsBob("/sign-in") }},
	{"sign-in-refused", func(b *tab, _ sceneServers) {
		b.visitAsBob("/sign-in")
		b.signIn("tl_unknown")
		b.until("the reason", `document.querySelector('#problem') && document.readyState === 'complete'`)
	}},
	{"symbol-missing", func(b *tab, _ sceneServers) {
		b.signIn(b.visitAsBob("/?symbol=MSFT"))
		b.waitLoaded()
		b.until("the notice", `!document.querySelector('#banner').hidden`)
	}},
	{"compare-without-rights", func(b *tab, _ sceneServers) {
		b.signIn(b.visitAsBob("/compare"))
		b.until("figures", `/[1-9]\d* pairs/.test(document.querySelector('#running').textContent)`)
		b.run(`document.querySelector('#t-drills').scrollIntoView(); scrollBy(0, -60)`)
	}},
	{"compare-topics-refused", func(b *tab, _ sceneServers) {
		b.signIn(b.visitAsBob("/compare?topics=MSFT,XOM"))
		b.until("the reason", `!document.querySelector('#banner').hidden`)
	}},
}

// visitAsBob starts a server with a provider and the lab, shows the sign-in page of a path and returns the token of bob, who may read some
// symbols.
func (b *tab) visitAsBob(path string) (token string) {
	b.t.Helper()
	file := filepath.Join(b.t.TempDir(), "tokens.yaml")
	token = newToken(b.t, file, "bob", "--read", "AAPL,sector:energy")
	b.visit(serveProvider(b.t, file, "--lab.enabled=true").url + path)
	return token
}

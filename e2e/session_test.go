package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestUsersOfOneBrowser signs in as one user and then as another: the earlier page ends its stream and says so. Signing out in one
// tab ends the streams of all; signing in again revives them; a revoked token ends them for good.
func TestUsersOfOneBrowser(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	ann, bob := newToken(t, file, "ann", "--read", "*"), newToken(t, file, "bob", "--read", "AAPL,sector:energy")
	s := serve(t, "--auth.mode=token", "--auth.tokens", file)
	first := openTab(t)
	second := first.sibling()
	emulateFocus(first, second)
	notice := func(b *tab, pattern string) {
		t.Helper()
		b.until("the notice "+pattern, "!document.querySelector('#banner').hidden && /"+pattern+"/.test(document.querySelector('#banner-text').textContent)")
	}

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
	second.signIn(bob)
	second.waitLive()
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

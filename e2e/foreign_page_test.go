package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// newToken adds a token to a token file and returns its secret.
func newToken(t testing.TB, file, name string, rights ...string) string {
	t.Helper()
	out, err := exec.Command(binary, append([]string{"token", "new", name, "--file", file}, rights...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// serveUsers starts a server whose pages need a token, and returns it, its admin address and a token.
func serveUsers(t testing.TB, flags ...string) (s, admin *server, token string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tokens.yaml")
	token = newToken(t, file, "ann", "--read", "*")
	s = serve(t, append([]string{"--auth.mode=token", "--auth.tokens", file, "--server.admin_addr=127.0.0.1:0"}, flags...)...)
	at := regexp.MustCompile(`admin_addr only" addr=(\S+)`).FindStringSubmatch(s.logText())
	if at == nil {
		t.Fatalf("no admin address in the log: %s", s.logText())
	}
	return s, &server{t: t, url: "http://" + at[1]}, token
}

// signIn signs in on the page that is shown.
func (b *tab) signIn(token string) {
	b.t.Helper()
	b.until("the sign-in page", `location.pathname.endsWith('/sign-in') && document.querySelector('#token')`)
	b.run(fmt.Sprintf("document.querySelector('#token').value = %q; document.querySelector('form').requestSubmit()", token))
}

// attack is what a hostile page does to the server at base in a browser that is signed in there. It returns what it has reached.
const attack = `(async (base, token) => {
	const reached = [];
	const request = async (name, path, options) => {
		try {
			const r = await fetch(base + path, { credentials: 'include', ...options });
			if (r.type !== 'opaque') reached.push(name + ': ' + r.status + ' ' + await r.text());
		} catch {}
	};
	await request('read', '/api/session');
	await request('read quotes', '/api/quotes?topics=*');
	await request('read opaquely', '/api/session', { mode: 'no-cors' });
	await request('post', '/api/ticket', { method: 'POST' });
	await request('post JSON', '/api/session/renew', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' });
	await request('post opaquely', '/api/session/renew', { method: 'POST', mode: 'no-cors' });
	await request('sign out', '/sign-out', { method: 'POST', mode: 'no-cors' });
	await request('sign in as another', '/sign-in', { method: 'POST', mode: 'no-cors', body: new URLSearchParams({ token }) });
	await request('revoke', '/api/revocations', { method: 'POST', mode: 'no-cors', body: '{"jti":"ann"}' });
	const stream = (name, open) => new Promise((done) => {
		const s = open();
		s.onopen = s.onmessage = () => { reached.push(name); done(); };
		s.addEventListener('hello', s.onopen);
		s.onerror = () => { s.close(); done(); };
	});
	await stream('event stream', () => new EventSource(base + '/sse/subscribe', { withCredentials: true }));
	await stream('event stream without credentials', () => new EventSource(base + '/sse/subscribe'));
	await stream('socket', () => new WebSocket(base.replace('http', 'ws') + '/ws/subscribe'));
	await stream('socket with another token', () => new WebSocket(base.replace('http', 'ws') + '/ws/subscribe', ['ticklane.v1.json', 'ticklane.bearer.' + btoa(token).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')]));
	await new Promise((done) => {
		const frame = document.body.appendChild(document.createElement('iframe'));
		frame.onload = done;
		frame.src = base + '/';
	});
	await new Promise((done) => {
		const script = document.body.appendChild(document.createElement('script'));
		script.onload = () => { reached.push('script'); done(); };
		script.onerror = done;
		script.src = base + '/api/symbols';
	});
	return reached;
})`

// TestForeignPages signs in, and opens hostile pages in the same browser: of another port of the host, to which the browser adds the
// cookie of the session, and of another host. They reach nothing, and the session goes on.
func TestForeignPages(t *testing.T) {
	t.Parallel()
	s, admin, token := serveUsers(t)
	b := openTab(t)
	b.visit(s.url + "/?symbol=AAPL")
	b.signIn(token)
	b.waitLive()
	admin.streams(1, 0)
	if at := eval[string](b, "location.search"); at != "?symbol=AAPL" {
		t.Errorf("after signing in at %s", at)
	}
	b.click("button[data-lane=ws]")
	admin.streams(0, 1)
	b.ticksArrive()

	hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>hostile</title><body>")
	}))
	defer hostile.Close()
	for _, host := range []string{"127.0.0.1", "localhost"} {
		h := b.sibling()
		h.visit(strings.Replace(hostile.URL, "127.0.0.1", host, 1))
		if reached := eval[[]string](h, fmt.Sprintf("%s(%q, %q)", attack, s.url, token)); len(reached) > 0 {
			t.Errorf("a page of %s has reached: %q", host, reached)
		}
		if errs := fmt.Sprint(h.errors()); !strings.Contains(errs, `"frame-ancestors 'none'". The request has been blocked`) {
			t.Errorf("the browser shows the dashboard in a frame of %s: %s", host, errs)
		}
		h.allowViolations() // those of the frame
		for _, path := range []string{"/sign-out", "/api/session/renew"} {
			h.visit(strings.Replace(hostile.URL, "127.0.0.1", host, 1))
			h.run(fmt.Sprintf(`document.body.innerHTML = '<form method="post" action="%s%s"></form>'; document.querySelector('form').submit()`, s.url, path))
			h.until("the answer to a form", fmt.Sprintf("location.href === %q && document.readyState === 'complete'", s.url+path))
			if text := h.text("body"); !strings.Contains(text, `"status":403`) && !strings.Contains(text, `"status":401`) {
				t.Errorf("a form of %s gets %s", host, text)
			}
		}
		h.discard()
	}
	admin.streams(0, 1)
	b.ticksArrive()
	b.reload()
	b.waitLive()

	// A link on another site leads to the dashboard, though the browser leaves out the cookie of the first request.
	h := b.sibling()
	h.visit(strings.Replace(hostile.URL, "127.0.0.1", "localhost", 1))
	h.run(fmt.Sprintf(`document.body.innerHTML = '<a href="%s/">quotes</a>'; document.querySelector('a').click()`, s.url))
	h.waitLive()
	h.discard()

	b.visit(s.url + "/sign-out")
	b.run("document.querySelector('form').requestSubmit()")
	b.until("the sign-in page", `location.pathname === '/sign-in'`)
	admin.streams(0, 0)
	b.visit(s.url + "/")
	b.until("the sign-in page", `location.pathname === '/sign-in'`)
}

package handlers

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Names of cookies. A browser takes a name with the prefix __Host- only over HTTPS, and sends no other host's cookie by it. So its
// path must be / even with a base path, which is the end of the name instead: servers beside each other keep their own. On plain
// HTTP the names have no prefix; that is allowed on loopback only.
const (
	hostPrefix    = "__Host-"
	sessionName   = "ticklane"
	refreshName   = "ticklane-refresh" // the sealed refresh token of an OpenID Connect provider
	signInName    = "ticklane-sign-in" // the state of signing in by such a provider
	cookieOverlap = 24 * time.Hour     // a browser keeps a session's cookie for so long after its end: a stream with it ends as expired
)

// cookie returns a copy of the value of a cookie, "" if there is none.
func (a *access) cookie(c *fiber.Ctx, name string) string {
	name += a.cookies
	value := c.Cookies(hostPrefix + name)
	if value == "" && !a.overTLS(c) && onLoopback(c) {
		value = c.Cookies(name)
	}
	return strings.Clone(value)
}

// setCookie sets a cookie that no script can read. ok is false on plain HTTP from another machine, where others could read it.
func (a *access) setCookie(c *fiber.Ctx, name, value string, age time.Duration, sameSite string) (ok bool) {
	name += a.cookies
	set := &fiber.Cookie{Name: name, Value: value, Path: "/", HTTPOnly: true, SameSite: sameSite, MaxAge: int(age.Seconds())}
	switch {
	case a.overTLS(c):
		set.Name, set.Secure = hostPrefix+name, true
	case !onLoopback(c):
		return false
	}
	c.Cookie(set)
	return true
}

// removeCookie makes the browser forget a cookie.
func (a *access) removeCookie(c *fiber.Ctx, name string) {
	name += a.cookies
	set := &fiber.Cookie{Name: name, Path: "/", HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode, Expires: time.Unix(1, 0)}
	if a.overTLS(c) {
		set.Name, set.Secure = hostPrefix+name, true
	}
	c.Cookie(set)
}

// onLoopback reports whether a request names this machine as its host.
func onLoopback(c *fiber.Ctx) bool {
	host := hostname(string(c.Context().Host()))
	return host == "localhost" || isLoopback(host)
}

// overTLS reports whether the browser reaches the server by HTTPS: directly, or as a trusted proxy reports, or as its own header
// shows. A client that forges that gets a cookie which it must not send by plain HTTP.
func (a *access) overTLS(c *fiber.Ctx) bool {
	if a.secure && !a.admin.received(c) || a.forwardedScheme(c) == "https" {
		return true
	}
	if a.forwardedScheme(c) != "" || onLoopback(c) {
		return false
	}
	// Browsers send Fetch Metadata to trustworthy addresses only.
	return c.Get("Sec-Fetch-Site") != "" || strings.HasPrefix(strings.ToLower(c.Get(fiber.HeaderOrigin)), "https://")
}

package handlers

import (
	"log/slog"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// errorHandler answers requests that failed: browsers that accept HTML with a page, all others with a problem.
type errorHandler struct {
	pages *pages
	log   *slog.Logger
}

func (h *errorHandler) respond(c *fiber.Ctx, err error) error {
	p, unexpected := problemFor(err)
	if unexpected {
		h.log.Error("request failed", "route", c.Route().Path, "err", err)
	}
	c.Status(p.Status)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	if acceptsPage(c) && h.pages.renderError(c, p) == nil {
		return nil
	}
	if allow := c.GetRespHeader(fiber.HeaderAllow); p.Status == fiber.StatusMethodNotAllowed && allow != "" {
		p.Detail = "This resource supports " + allow + "."
	}
	if p.Status == fiber.StatusUnauthorized && c.GetRespHeader(fiber.HeaderWWWAuthenticate) == "" {
		c.Set(fiber.HeaderWWWAuthenticate, challenge)
	}
	if err := c.JSON(p); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return nil
}

// acceptsPage reports whether the client is a browser that shows the answer to a person.
func acceptsPage(c *fiber.Ctx) bool {
	return isPageRequest(c.Method(), c.Get(fiber.HeaderAccept), c.Path())
}

// isPageRequest is acceptsPage for the parts of a request.
func isPageRequest(method, accept, path string) bool {
	return method == fiber.MethodGet && strings.Contains(accept, fiber.MIMETextHTML) &&
		!strings.HasPrefix(path, "/api/") && !strings.HasSuffix(path, "/subscribe")
}

// acceptsHTML reports whether the client is a browser that loads a page.
func acceptsHTML(c *fiber.Ctx) bool {
	return strings.Contains(c.Get(fiber.HeaderAccept), fiber.MIMETextHTML)
}

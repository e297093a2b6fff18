package handlers

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// file is one static file, held in memory with its compressed form.
type file struct {
	body, zipped []byte // zipped is nil where it saves nothing
	mime, etag   string
}

// loadFiles reads everything under public, by its path there.
func loadFiles(files fs.FS) (map[string]*file, error) {
	public, err := fs.Sub(files, "public")
	if err != nil {
		return nil, err
	}
	all := make(map[string]*file)
	err = fs.WalkDir(public, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(public, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		f := &file{body: body, mime: mimeOf(name), etag: `"` + hex.EncodeToString(sum[:8]) + `"`}
		if z := zip(body); len(z) < len(body)*9/10 {
			f.zipped = z
		}
		all[name] = f
		return nil
	})
	return all, err
}

func zip(b []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is valid
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// mimeOf doesn't trust the system's table for what a wrong type would break.
func mimeOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json":
		return "application/json"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

// hashed are names that change with their content.
var hashed = regexp.MustCompile(`-[A-Z0-9]{8}\.[a-z]+$`)

// static serves public/<prefix><path>. Hashed names may be cached for ever, others are asked for again.
func (s *Server) static(prefix, cache string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		f := s.files[prefix+c.Params("*")]
		if f == nil {
			return fiber.ErrNotFound
		}
		if hashed.MatchString(c.Params("*")) {
			c.Set(fiber.HeaderCacheControl, cache)
		} else {
			noCache(c)
		}
		c.Set(fiber.HeaderETag, f.etag)
		c.Set(fiber.HeaderContentType, f.mime)
		c.Vary(fiber.HeaderAcceptEncoding)
		if namesTag(c.Get(fiber.HeaderIfNoneMatch), f.etag) {
			c.Status(http.StatusNotModified)
			return nil
		}
		if f.zipped != nil && accepted(listed(&c.Request().Header, fiber.HeaderAcceptEncoding), "gzip") {
			c.Set(fiber.HeaderContentEncoding, "gzip")
			return c.Send(f.zipped)
		}
		return c.Send(f.body)
	}
}

// namesTag reads If-None-Match (RFC 9110 §13.1.2), which compares weakly: proxies that compress weaken our tags.
func namesTag(list, tag string) bool {
	for part := range strings.SplitSeq(list, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == tag || part == "*" {
			return true
		}
	}
	return false
}

// accepted tells whether a list of Accept or Accept-Encoding names what is wanted (RFC 9110 §12.5). Who doesn't name it, or
// by q=0 refuses it, gets none.
func accepted(list, want string) bool {
	for part := range strings.SplitSeq(list, ",") {
		name, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), want) {
			continue
		}
		for param := range strings.SplitSeq(params, ";") {
			if key, v, _ := strings.Cut(param, "="); strings.EqualFold(strings.TrimSpace(key), "q") {
				q, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
				return err == nil && q > 0
			}
		}
		return true
	}
	return false
}

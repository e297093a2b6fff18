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
	"strings"

	"github.com/gofiber/fiber/v2"
)

// staticFiles are the files under public by their path there, held in memory.
type staticFiles map[string]*staticFile

type staticFile struct {
	body      []byte
	gzip      []byte // body compressed, nil if that saves less than a tenth
	mediaType string
	etag      string
}

func loadStatic(files fs.FS) (staticFiles, error) {
	public, err := fs.Sub(files, "public")
	if err != nil {
		return nil, err
	}
	all := make(staticFiles)
	err = fs.WalkDir(public, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(public, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		f := &staticFile{body: body, mediaType: mediaType(name), etag: `"` + hex.EncodeToString(sum[:8]) + `"`}
		if z := gzipped(body); len(z) < len(body)*9/10 {
			f.gzip = z
		}
		all[name] = f
		return nil
	})
	return all, err
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is valid
	_, _ = w.Write(b)                                       // a buffer never fails
	_ = w.Close()
	return out.Bytes()
}

// mediaType returns the media type for a file's extension. It doesn't depend on the system's table for types that browsers
// need.
func mediaType(name string) string {
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

// hashedName matches the names of bundles, which change with their content.
var hashedName = regexp.MustCompile(`-[A-Z0-9]{8}\.[a-z]+$`)

// serve serves the file prefix+path. cache is the Cache-Control of hashed names; others are revalidated.
func (all staticFiles) serve(prefix, cache string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		f := all[prefix+c.Params("*")]
		if f == nil {
			return fiber.ErrNotFound
		}
		noCache(c)
		if hashedName.MatchString(c.Params("*")) {
			c.Set(fiber.HeaderCacheControl, cache)
		}
		c.Set(fiber.HeaderETag, f.etag)
		c.Set(fiber.HeaderContentType, f.mediaType)
		c.Vary(fiber.HeaderAcceptEncoding)
		if matchesETag(c.Get(fiber.HeaderIfNoneMatch), f.etag) {
			c.Status(http.StatusNotModified)
			return nil
		}
		if f.gzip != nil && accepts(c, fiber.HeaderAcceptEncoding, "gzip") {
			c.Set(fiber.HeaderContentEncoding, "gzip")
			return c.Send(f.gzip)
		}
		return c.Send(f.body)
	}
}

// matchesETag reports whether If-None-Match contains a tag. The comparison is weak (RFC 9110 §13.1.2), since proxies that
// compress weaken tags.
func matchesETag(list, tag string) bool {
	for part := range strings.SplitSeq(list, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == tag || part == "*" {
			return true
		}
	}
	return false
}

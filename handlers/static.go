package handlers

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"mime"
	"path"
	"regexp"
	"sync"

	"github.com/gofiber/fiber/v2"
)

// staticFiles are the files under public by their path there, held in memory.
type staticFiles map[string]*content

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
		f := newContent(mediaType(name), body)
		f.gzip = sync.OnceValue(func() []byte { return smallest(body) })
		all[name] = f
		return nil
	})
	return all, err
}

// smallest returns body compressed with gzip at the best level, nil if that isn't worth it.
func smallest(body []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is valid
	_, _ = w.Write(body)                                    // a buffer never fails
	_ = w.Close()
	return ifSmaller(out.Bytes(), body)
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
	case ".md":
		return "text/plain; charset=utf-8" // browsers save text/markdown instead of showing it
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

// hashedName matches the names of bundles, which change with their content.
var hashedName = regexp.MustCompile(`-[A-Z0-9]{8}\.[a-z]+$`)

// serve serves the file prefix+path. cache is the Cache-Control of hashed names; others are revalidated. Files need no
// credentials, so shared caches may store them on every server.
func (all staticFiles) serve(prefix, cache string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		f := all[prefix+c.Params("*")]
		if f == nil {
			return fiber.ErrNotFound
		}
		c.Set(fiber.HeaderCacheControl, "no-cache")
		if hashedName.MatchString(c.Params("*")) {
			c.Set(fiber.HeaderCacheControl, cache)
		}
		return f.send(c)
	}
}

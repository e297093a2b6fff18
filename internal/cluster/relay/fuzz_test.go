package relay

import (
	"bytes"
	"errors"
	"testing"

	"ticklane/internal/market/ingest"
)

// FuzzRequest: what can be parsed is what a node sends: its head is the same when it is sent again.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		"{\"v\":1}\n", "{\"v\":1,\"source\":\"s\",\"subject\":\"ana\",\"rights\":[{\"write\":[\"A\",\"sector:x\"]}]}\n{}\n", "{\"v\":1,\"rights\":null}\n\n",
		"{\"v\":1}\nhalf a line", "{\"v\":2}\n", "{\"v\":1,\"rights\":[{}", "", "\n", "{\"v\":1,\"rights\":[{\"write\":[\"\"]}]}\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		q, err := parseRequest(data)
		if err != nil {
			return
		}
		text, err := q.head.append(nil)
		if err != nil {
			return // escapes have made it longer than a request may be
		}
		again, err := parseRequest(append(text, q.lines...))
		if err != nil {
			t.Fatal(err)
		}
		second, err := again.head.append(nil)
		if err != nil || !bytes.Equal(text, second) || !bytes.Equal(again.lines, q.lines) {
			t.Errorf("%q\n%q %v", text, second, err)
		}
		if (q.head.Rights == nil) != (again.head.Rights == nil) {
			t.Error("the rights are others")
		}
	})
}

// FuzzReply: a reply that can't be understood means that the lines may have been handled.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		`{"working":true}`, `{"result":{"accepted":2,"rejected":1,"errors":[{"line":1,"field":"S","reason":"x"}],"holes":[{"from":1,"to":2}]}}`,
		`{"code":"stopped"}`, `{"code":"foreign"}`, `{"code":"not-writer"}`, `{"code":"new"}`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := parseReply(data)
		if err != nil {
			if a != nil || !errors.Is(err, ingest.ErrStopped) {
				t.Error(err)
			}
			return
		}
		if err := a.err(); err != nil && !errors.Is(err, ingest.ErrStopped) && !errors.Is(err, ingest.ErrForeignSource) && !errors.Is(err, errNotWriter) {
			t.Error(err)
		}
		var sum ingest.Result
		if a.Result != nil {
			sum.Add(a.Result, 5)
			sum.Add(a.Result, 10)
		}
		if len(sum.Errors) > 20 {
			t.Errorf("%d errors", len(sum.Errors))
		}
	})
}

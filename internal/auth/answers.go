package auth

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
)

// wholeAnswers returns a client that reads each response completely. A response that is longer than maxKeysBytes or truncated, or whose
// status is 429 or 5xx, is an error of the request, as if the provider couldn't be reached.
func wholeAnswers(client *http.Client) *http.Client {
	c := *client
	c.Transport = wholeTransport{cmp.Or(client.Transport, http.DefaultTransport)}
	return &c
}

// wholeTransport is the http.RoundTripper of wholeAnswers.
type wholeTransport struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t wholeTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	text, err := readBody(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(text))
	return resp, nil
}

// readBody reads a body of at most maxKeysBytes.
func readBody(body io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxKeysBytes+1))
	if err == nil && len(text) > maxKeysBytes {
		err = fmt.Errorf("larger than %d bytes", maxKeysBytes)
	}
	return text, err
}

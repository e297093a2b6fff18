package relay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"ticklane/internal/auth"
	"ticklane/internal/market/ingest"
)

// version is that of the messages.
const version = 1

// request is the content of a request: a line with the head, then the lines of an input.
type request struct {
	head  head
	lines []byte // each with its end
}

// head describes the sender of lines.
type head struct {
	Version int          `json:"v"`
	Source  string       `json:"source,omitempty"`
	Subject string       `json:"subject,omitempty"`
	Rights  *auth.Rights `json:"rights,omitempty"`    // nil for all
	MaxLine int          `json:"line_size,omitempty"` // of the sender, which cuts longer lines; 0 if unknown
}

// append appends the head with its end.
func (h *head) append(b []byte) ([]byte, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	if len(text) >= maxHead {
		return nil, fmt.Errorf("the rights of the client's token have %d bytes; want at most %d to send to another server", len(text), maxHead)
	}
	return append(append(b, text...), '\n'), nil
}

// parseRequest parses a request. The lines alias data.
func parseRequest(data []byte) (*request, error) {
	text, lines, ok := bytes.Cut(data, []byte{'\n'})
	if !ok || len(text) > maxHead {
		return nil, errors.New("request: no head")
	}
	var h struct {
		head
		Rights json.RawMessage `json:"rights"`
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return nil, fmt.Errorf("request: head: %w", err)
	}
	if h.Version != version {
		return nil, fmt.Errorf("request: version %d, want %d", h.Version, version)
	}
	q := &request{head: h.head, lines: lines}
	if h.Rights != nil { // null isn't a list, so it allows nothing
		rights, err := auth.ParseRights(h.Rights)
		if err != nil {
			return nil, fmt.Errorf("request: %w", err)
		}
		q.head.Rights = &rights
	}
	if len(lines) > 0 && lines[len(lines)-1] != '\n' {
		return nil, errors.New("request: the last line has no end")
	}
	return q, nil
}

// reply is the content of a reply. Before the last one there may be some that have only Working.
type reply struct {
	Working bool           `json:"working,omitempty"` // the lines are being handled
	Result  *ingest.Result `json:"result,omitempty"`
	Code    string         `json:"code,omitempty"` // of an error
}

// replyOf returns the reply with a result.
func replyOf(result *ingest.Result, err error) reply {
	a := reply{Result: result}
	switch {
	case err == nil:
	case errors.Is(err, errNotWriter):
		a.Code = codeNotWriter
	case errors.Is(err, ingest.ErrForeignSource):
		a.Code = codeForeign
	default: // ErrStopped, or the term has ended
		a.Code = codeStopped
	}
	return a
}

// err returns the error of the reply.
func (a *reply) err() error {
	switch a.Code {
	case "":
		return nil
	case codeNotWriter:
		return errNotWriter
	case codeForeign:
		return ingest.ErrForeignSource
	case codeStopped:
		return ingest.ErrStopped
	default:
		return fmt.Errorf("%w: %w", ingest.ErrStopped, errInvalid)
	}
}

// parseReply parses a reply.
func parseReply(data []byte) (*reply, error) {
	a := &reply{}
	if err := json.Unmarshal(data, a); err != nil {
		return nil, fmt.Errorf("%w: %w: %w", ingest.ErrStopped, errInvalid, err)
	}
	return a, nil
}

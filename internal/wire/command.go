package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"ticklane/internal/quote"
)

// Actions of a command.
const (
	ActionSubscribe   = "subscribe"
	ActionUnsubscribe = "unsubscribe"
	ActionTime        = "time"
)

// Codes of an error message.
const (
	CodeBadJSON       = "bad_json"
	CodeUnknownAction = "unknown_action"
	CodeUnknownTopic  = "unknown_topic"
	CodeTooManyTopics = "too_many_topics"
	CodeRate          = "rate"
)

// Command is what a client may ask of its stream: a WebSocket text message, or the body of a POST for SSE.
type Command struct {
	Action string
	Topics []string
	ID     *int64 // the client's own, repeated in the answer; nil when not given
}

// CommandError is why a command was refused, as the client is told.
type CommandError struct {
	Code string
	Msg  string
	ID   *int64
}

func (e *CommandError) Error() string { return e.Code + ": " + e.Msg }

// Message returns the error as the client gets it.
func (e *CommandError) Message() Message {
	return Message{Name: "error", body: errorBody{"error", e.Code, e.Msg, e.ID}}
}

type errorBody struct {
	T    string `json:"T"`
	Code string `json:"code"`
	Msg  string `json:"msg"`
	ID   *int64 `json:"id,omitempty"`
}

func (m errorBody) appendProto(b []byte) []byte {
	b, at := beginField(b, protoError)
	b = appendText(b, 1, m.Code)
	b = appendForeign(b, 2, m.Msg)
	return endField(appendID(b, 3, m.ID), at)
}

// ParseCommand reads one JSON object. The error is a *CommandError with the code that the client gets;
// members that the contract doesn't name are ignored, so that clients of a later version still work.
func ParseCommand(b []byte) (Command, error) {
	var raw struct {
		Action *string   `json:"action"`
		Topics *[]string `json:"topics"`
		ID     *int64    `json:"id"`
	}
	bad := func(format string, a ...any) (Command, error) {
		return Command{}, &CommandError{Code: CodeBadJSON, Msg: fmt.Sprintf(format, a...), ID: raw.ID}
	}
	if !utf8.Valid(b) {
		return bad("the message is not UTF-8")
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		var typ *json.UnmarshalTypeError
		if errors.As(err, &typ) && typ.Field != "" {
			if typ.Field == "id" {
				raw.ID = nil // allocated before it failed: 0 would be somebody else's id
			}
			return bad("%s: want %s, got %s", typ.Field, want(typ.Field), clip(typ.Value))
		}
		return bad(`not a JSON object such as {"action":"subscribe","topics":["AAPL"],"id":1}`)
	}
	if raw.Action == nil {
		return bad("action: missing; want subscribe, unsubscribe or time")
	}
	c := Command{Action: *raw.Action, ID: raw.ID}
	switch c.Action {
	case ActionTime:
		return c, nil
	case ActionSubscribe, ActionUnsubscribe:
		if raw.Topics == nil || len(*raw.Topics) == 0 {
			return bad("topics: missing or empty; want a list of symbols, sectors or \"*\"")
		}
		c.Topics = *raw.Topics
		return c, nil
	}
	return Command{}, &CommandError{Code: CodeUnknownAction, ID: raw.ID,
		Msg: fmt.Sprintf("action: unknown %q; want subscribe, unsubscribe or time", clip(c.Action))}
}

// TopicError turns an error of quote's topic functions into what the client is told.
func TopicError(err error, id *int64) *CommandError {
	code := CodeUnknownTopic
	if errors.Is(err, quote.ErrTooManyTopics) {
		code = CodeTooManyTopics
	}
	return &CommandError{Code: code, Msg: "topics: " + err.Error(), ID: id}
}

func want(field string) string {
	switch {
	case field == "id":
		return "an integer"
	case strings.HasPrefix(field, "topics"):
		return "a list of strings"
	}
	return "a string"
}

func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return cut(s, most) + "…"
}

// cut returns at most the first most bytes of a UTF-8 text, without half a character at the end.
func cut(s string, most int) string {
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}

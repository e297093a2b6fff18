package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"ticklane/internal/excerpt"
	"ticklane/internal/quote"
	"ticklane/internal/strictjson"
)

// Actions of a command.
const (
	ActionSubscribe   = "subscribe"
	ActionUnsubscribe = "unsubscribe"
	ActionTime        = "time"
	ActionAuth        = "auth"
)

// actions lists the actions for error messages.
const actions = "subscribe, unsubscribe, time or auth"

// Codes of an error message.
const (
	CodeBadJSON       = "bad_json"
	CodeUnknownAction = "unknown_action"
	CodeUnknownTopic  = "unknown_topic"
	CodeTooManyTopics = "too_many_topics"
	CodeRate          = "rate"

	CodeForbiddenTopic = "forbidden_topic" // the client has no right to read a topic
	CodeDelayedTopic   = "delayed_topic"   // the client may read a topic later than this stream has it
	CodeInvalidToken   = "invalid_token"   // RFC 6750 §3.1; also that of another subject
	CodeUnauthorized   = "unauthorized"    // the client has sent no token yet
)

// Command is a request of a client to its stream: a WebSocket text message, or the body of a POST for SSE.
type Command struct {
	Action string
	Topics []string
	Token  string // of ActionAuth; "" for none
	ID     *int64 // chosen by the client and repeated in the answer; nil if it chose none
}

// CommandError is the reason why a command was rejected. Code and Msg are sent to the client.
type CommandError struct {
	Code string
	Msg  string
	ID   *int64
}

func (e *CommandError) Error() string { return e.Code + ": " + e.Msg }

// Message returns the error message for the client.
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
	b = appendClientText(b, 2, m.Msg)
	return endField(appendID(b, 3, m.ID), at)
}

// ParseCommand parses a command from one JSON object. Any error is a *CommandError. Members that start with an
// underscore are ignored.
func ParseCommand(b []byte) (Command, error) {
	var raw struct {
		Action *string   `json:"action"`
		Topics *[]string `json:"topics"`
		Token  *string   `json:"token"`
		ID     *int64    `json:"id"`
	}
	bad := func(format string, a ...any) (Command, error) {
		return Command{}, &CommandError{Code: CodeBadJSON, Msg: fmt.Sprintf(format, a...), ID: raw.ID}
	}
	if !utf8.Valid(b) {
		return bad("the message is not UTF-8")
	}
	err := json.Unmarshal(b, &raw)
	if json.Valid(b) {
		if err := strictjson.CheckMembers(b, "action", "topics", "token", "id"); err != nil {
			return bad("%v", err)
		}
	}
	if err != nil {
		var typ *json.UnmarshalTypeError
		if errors.As(err, &typ) && typ.Field != "" {
			if typ.Field == "id" {
				raw.ID = nil // json allocated it before it failed; 0 could be the id of another command
			}
			if typ.Field == "token" {
				return bad("token: want a string") // the value may be a secret
			}
			return bad("%s: want %s, got %s", typ.Field, want(typ.Field), excerpt.Of(typ.Value))
		}
		return bad(`not a JSON object such as {"action":"subscribe","topics":["AAPL"],"id":1}`)
	}
	if raw.Action == nil {
		return bad("action: missing; want " + actions)
	}
	c := Command{Action: *raw.Action, ID: raw.ID}
	if raw.Token != nil {
		if c.Token = *raw.Token; c.Action != ActionAuth {
			return bad("token: only action auth has one")
		}
	}
	switch c.Action {
	case ActionTime, ActionAuth:
		return c, nil
	case ActionSubscribe, ActionUnsubscribe:
		if raw.Topics == nil || len(*raw.Topics) == 0 {
			return bad("topics: missing or empty; want a list of symbols, sectors or \"*\"")
		}
		c.Topics = *raw.Topics
		return c, nil
	}
	return Command{}, &CommandError{Code: CodeUnknownAction, ID: c.ID, Msg: fmt.Sprintf("action: unknown %q; want %s", excerpt.Of(c.Action), actions)}
}

// NoCredentials returns the CommandError for an ActionAuth that is sent to a server that requires no credentials.
func NoCredentials(c Command) *CommandError {
	return &CommandError{Code: CodeUnknownAction, ID: c.ID, Msg: "action: auth is unknown here: this server requires no credentials; want subscribe, unsubscribe or time"}
}

// TopicError returns the CommandError for an error of quote's topic functions.
func TopicError(err error, id *int64) *CommandError {
	code := CodeUnknownTopic
	var forbidden *quote.ForbiddenTopicError
	switch {
	case errors.Is(err, quote.ErrTooManyTopics):
		code = CodeTooManyTopics
	case errors.As(err, &forbidden):
		code = CodeForbiddenTopic
	}
	return &CommandError{Code: code, Msg: "topics: " + err.Error(), ID: id}
}

// want describes the type of a command's member.
func want(field string) string {
	switch {
	case field == "id":
		return "an integer"
	case strings.HasPrefix(field, "topics"):
		return "a list of strings"
	}
	return "a string"
}

// truncate returns at most the first n bytes of a UTF-8 text, without a partial character at the end.
func truncate(s string, n int) string {
	return strings.ToValidUTF8(s[:min(len(s), n)], "")
}

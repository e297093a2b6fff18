package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ticklane/internal/quote"
)

func TestParseCommand(t *testing.T) {
	id := func(n int64) *int64 { return &n }
	for in, want := range map[string]Command{
		`{"action":"subscribe","topics":["AAPL","*"],"id":1}`: {Action: "subscribe", Topics: []string{"AAPL", "*"}, ID: id(1)},
		`{"action":"unsubscribe","topics":["sector:tech"]}`:   {Action: "unsubscribe", Topics: []string{"sector:tech"}},
		`{"action":"time"}`:                                       {Action: "time"},
		`{"action":"auth","token":"tl_x","id":1}`:                 {Action: "auth", Token: "tl_x", ID: id(1)},
		`{"action":"auth"}`:                                       {Action: "auth"},
		`{"action":"time","id":0}`:                                {Action: "time", ID: id(0)},
		`{"action":"time","id":-9223372036854775808}`:             {Action: "time", ID: id(-1 << 63)},
		` {"_later":{"x":[1]},"action":"time","id":null} ` + "\n": {Action: "time"},
	} {
		got, err := ParseCommand([]byte(in))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
}

func TestParseCommandRejects(t *testing.T) {
	for _, c := range []struct{ in, code, msg string }{
		{``, CodeBadJSON, "not a JSON object"},
		{`hello`, CodeBadJSON, "not a JSON object"},
		{`{"action":"time"`, CodeBadJSON, "not a JSON object"},
		{`{"action":"time"}{}`, CodeBadJSON, "not a JSON object"},
		{`[]`, CodeBadJSON, "not a JSON object"},
		{`"time"`, CodeBadJSON, "not a JSON object"},
		{"{\"action\":\"\xff\"}", CodeBadJSON, "UTF-8"},
		{`null`, CodeBadJSON, "action"},
		{`{}`, CodeBadJSON, "action"},
		{`{"action":null}`, CodeBadJSON, "action"},
		{`{"action":1}`, CodeBadJSON, "action: want a string"},
		{`{"action":"subscribe"}`, CodeBadJSON, "topics"},
		{`{"action":"subscribe","topics":[]}`, CodeBadJSON, "topics"},
		{`{"action":"subscribe","topics":null}`, CodeBadJSON, "topics"},
		{`{"action":"subscribe","topics":"AAPL"}`, CodeBadJSON, "topics: want a list of strings"},
		{`{"action":"subscribe","topics":[1]}`, CodeBadJSON, "topics"},
		{`{"action":"time","id":"x"}`, CodeBadJSON, "id: want an integer"},
		{`{"action":"time","id":1.5}`, CodeBadJSON, "id: want an integer"},
		{`{"action":"time","id":` + strings.Repeat("9", 4000) + `}`, CodeBadJSON, "id: want an integer"},
		{`{"Action":"time"}`, CodeBadJSON, "Action: unknown member; did you mean action?"},
		{`{"action":"time","ACTION":"subscribe"}`, CodeBadJSON, "ACTION: unknown member; did you mean action?"},
		{`{"action":"time","action":"time"}`, CodeBadJSON, "action: given twice"},
		{`{"action":"subscribe","topics":["A"],"Topics":["B"]}`, CodeBadJSON, "Topics: unknown member; did you mean topics?"},
		{`{"action":"time","later":{"action":"x"}}`, CodeBadJSON, "later: unknown member; want action, topics, token, id"},
		{`{"action":"time","":1}`, CodeBadJSON, ": unknown member"},
		{`{"action":"time","` + strings.Repeat("é", 4000) + `":1}`, CodeBadJSON, "é…: unknown member"},
		{`{"action":"time","token":"s"}`, CodeBadJSON, "token: only action auth has one"},
		{`{"action":""}`, CodeUnknownAction, `unknown ""; want subscribe, unsubscribe, time or auth`},
		{`{"id":1}`, CodeBadJSON, "action: missing; want subscribe, unsubscribe, time or auth"},
		{`{"action":"Subscribe","topics":["*"]}`, CodeUnknownAction, `"Subscribe"`},
		{`{"action":"` + strings.Repeat("é", 4000) + `"}`, CodeUnknownAction, "é…"},
	} {
		_, err := ParseCommand([]byte(c.in))
		var e *CommandError
		if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Msg, c.msg) {
			t.Errorf("%.60s: %v, want %s with %q", c.in, err, c.code, c.msg)
			continue
		}
		if len(e.Msg) > 300 {
			t.Errorf("%.60s: the answer has %d bytes", c.in, len(e.Msg))
		}
	}
}

// TestErrorsRepeatAtMost40Bytes of the client's text.
func TestErrorsRepeatAtMost40Bytes(t *testing.T) {
	for n, want := range map[int]string{
		40: `action: unknown "` + strings.Repeat("x", 40) + `"; want`,
		41: `action: unknown "` + strings.Repeat("x", 40) + `…"; want`,
	} {
		_, err := ParseCommand([]byte(`{"action":"` + strings.Repeat("x", n) + `"}`))
		if err == nil || !strings.HasPrefix(err.Error(), CodeUnknownAction+": "+want) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// TestErrorsRepeatNoToken: whatever is wrong with a command, its answer doesn't contain the token.
func TestErrorsRepeatNoToken(t *testing.T) {
	for _, in := range []string{
		`{"action":"auth","token":712345}`, `{"action":"auth","token":["712345"]}`, `{"action":"auth","token":"712345","token":"712345"}`,
		`{"action":"auth","Token":"712345"}`, `{"action":"auth","tokens":"712345"}`, `{"action":"time","token":"712345"}`,
		`{"action":"auth","token":"712345"`, `{"action":"auth","token":"712345","id":"x"}`,
	} {
		if _, err := ParseCommand([]byte(in)); err == nil || strings.Contains(err.Error(), "712345") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// TestErrorRepeatsTheID: a client that numbers its commands must know which was rejected.
func TestErrorRepeatsTheID(t *testing.T) {
	for _, in := range []string{`{"id":7}`, `{"id":7,"action":"x"}`, `{"id":7,"action":"subscribe"}`, `{"id":7,"action":1}`, `{"action":1,"id":7}`} {
		_, err := ParseCommand([]byte(in))
		var e *CommandError
		if !errors.As(err, &e) || e.ID == nil || *e.ID != 7 {
			t.Errorf("%s: %+v", in, err)
		}
	}
}

func TestTopicError(t *testing.T) {
	if e := TopicError(fmt.Errorf("wrapped: %w", quote.ErrTooManyTopics), nil); e.Code != CodeTooManyTopics || !strings.HasPrefix(e.Msg, "topics: ") {
		t.Errorf("%+v", e)
	}
	if e := TopicError(&quote.ForbiddenTopicError{Names: []string{"NOPE", "MSFT"}}, nil); e.Code != CodeForbiddenTopic || !strings.Contains(e.Msg, `"NOPE", "MSFT"`) {
		t.Errorf("%+v", e)
	}
	if e := TopicError(&quote.UnknownTopicError{Names: []string{"NOPE"}}, nil); e.Code != CodeUnknownTopic || !strings.Contains(e.Msg, `"NOPE"`) {
		t.Errorf("%+v", e)
	}
}

func FuzzCommand(f *testing.F) {
	for _, s := range []string{
		`{"action":"subscribe","topics":["AAPL"],"id":1}`, `{"action":"time"}`, `{"action":1}`, `{"id":1e99}`, `null`, `[`,
		"\xff", `{"action":"unsubscribe","topics":["\u0000\n"]}`, `{"ACTION":"x","topics":[null]}`,
	} {
		f.Add([]byte(s))
	}
	codes := []string{CodeBadJSON, CodeUnknownAction}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCommand(b)
		if err == nil {
			switch {
			case !slices.Contains([]string{ActionSubscribe, ActionUnsubscribe, ActionTime}, c.Action):
				t.Fatalf("action %q passed", c.Action)
			case c.Action != ActionTime && len(c.Topics) == 0:
				t.Fatal("no topics passed")
			}
			return
		}
		var e *CommandError
		if !errors.As(err, &e) || !slices.Contains(codes, e.Code) || e.Msg == "" {
			t.Fatalf("error %v", err)
		}
		if !json.Valid(e.Message().JSON()) {
			t.Fatalf("answer %s", e.Message().JSON())
		}
		checkEvents(t, []Message{e.Message()})
	})
}

// TestInvalidIDIsNotRepeated: an error with id 0 would answer another command.
func TestInvalidIDIsNotRepeated(t *testing.T) {
	for _, text := range []string{`{"action":"time","id":"a"}`, `{"action":"time","id":1.5}`} {
		_, err := ParseCommand([]byte(text))
		var e *CommandError
		if !errors.As(err, &e) || e.ID != nil {
			t.Errorf("%s: %v, want an error without id", text, err)
		}
	}
}

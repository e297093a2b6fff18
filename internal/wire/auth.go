package wire

import (
	"time"

	"ticklane/internal/quote"
)

// Values of an auth message.
const (
	AuthExpiring = "expiring" // the client's credential expires soon
	AuthRenewed  = "renewed"  // the answer to a command of ActionAuth
)

// Auth returns the message about the client's credential. expires is zero for never; id is the command's, nil if it had none.
func Auth(status string, expires time.Time, id *int64) Message {
	return Message{Name: "auth", body: authBody{"auth", status, quote.Micros(expires), id}}
}

type authBody struct {
	T       string `json:"T"`
	Status  string `json:"status"`
	Expires int64  `json:"expires,omitempty"`
	ID      *int64 `json:"id,omitempty"`
}

func (m authBody) appendProto(b []byte) []byte {
	b, at := beginField(b, protoAuth)
	b = appendText(b, 1, m.Status)
	b = appendInt(b, 2, m.Expires)
	return endField(appendID(b, 3, m.ID), at)
}

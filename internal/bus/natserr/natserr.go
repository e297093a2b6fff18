// Package natserr explains the errors of NATS servers that don't answer or don't store, such as those of a cluster without a majority.
package natserr

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrAway is the error of servers that don't store.
var ErrAway = errors.New("NATS doesn't store; check that most of its servers are up")

// ErrDisconnected is the error of a connection that is lost.
var ErrDisconnected = errors.New("not connected to NATS: check bus.nats.url, and that its servers run")

// Error codes of a server that has no leader for what was requested. Package jetstream has no names for them.
const (
	codeNotAvailable = 10008
	codeNotLeader    = 10009
	codeOffline      = 10118
)

// Explain returns an error that wraps ErrAway and err if there was no answer, or the answer was that there is no leader, and ErrDisconnected
// if err is that nothing can be sent. It returns any other err as it is.
func Explain(err error) error {
	if errors.Is(err, nats.ErrReconnectBufExceeded) { // its text reads like that of a setting
		return ErrDisconnected
	}
	if !isAway(err) || errors.Is(err, ErrAway) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}

func isAway(err error) bool {
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		return api.ErrorCode == codeNotAvailable || api.ErrorCode == codeNotLeader || api.ErrorCode == codeOffline
	}
	for _, target := range []error{context.DeadlineExceeded, nats.ErrTimeout, jetstream.ErrNoStreamResponse, jetstream.ErrAsyncPublishTimeout} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// Text returns the text by which an error is compared with the one before: all that wrap ErrAway count as the same, and those of the
// connections of several attempts, whose local ports differ.
func Text(err error) string {
	if errors.Is(err, ErrAway) {
		return ErrAway.Error()
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Source != nil {
		return strings.ReplaceAll(err.Error(), op.Source.String(), "")
	}
	return err.Error()
}

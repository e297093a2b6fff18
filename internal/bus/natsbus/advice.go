package natsbus

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ticklane/internal/bus/natserr"
)

// wrongSettings returns what to do about an error of connecting that would come again, empty for any other.
func wrongSettings(err error) string {
	var (
		authority   x509.UnknownAuthorityError
		host        x509.HostnameError
		certificate x509.CertificateInvalidError
		file        *fs.PathError
	)
	text := func(s string) bool { return strings.Contains(err.Error(), s) } // of errors without a type
	switch {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		return "check bus.nats.credentials, or the user in bus.nats.url, and the permissions of that user"
	case errors.Is(err, nats.ErrSecureConnWanted):
		return "the server has no TLS: check bus.nats.url, which has the scheme tls, or leave out bus.nats.ca and bus.nats.cert"
	case errors.As(err, &authority), errors.As(err, &host), errors.As(err, &certificate):
		return "check bus.nats.ca, and the names in the certificate of the server"
	case text("remote error: tls: "), text("after TLS handshake"):
		return "check bus.nats.cert: the server requires a certificate that it knows"
	case text("failed to parse root certificate"):
		return "bus.nats.ca must be a file of certificates (PEM)"
	case text("error loading client certificate"), text("error parsing client certificate"):
		return "bus.nats.cert and bus.nats.key must be a certificate and its key (PEM)"
	case text("nkeys: no nkey seed found"), text("unable to extract key pair"):
		return "bus.nats.credentials must be a file with a JWT and a key, as nsc makes them"
	case errors.As(err, &file):
		return "check the files of bus.nats.credentials, bus.nats.ca, bus.nats.cert and bus.nats.key"
	}
	return ""
}

// Error codes of the server for which jetstream has no names.
const (
	codeAccountLimit = 10002
	codeNoPeers      = 10005
	codeNoResources  = 10023
	codeNoMemory     = 10028
	codeNoStorage    = 10047
	codeOverlap      = 10065
	codeOneServer    = 10074
)

// explain adds what to do to an error of the server.
func explain(err error) error {
	advice := ""
	var api *jetstream.APIError
	switch {
	case errors.As(err, &api):
		switch api.ErrorCode {
		case codeNoResources:
			advice = "the store of the NATS server is full"
		case codeAccountLimit, codeNoMemory, codeNoStorage:
			advice = "lower bus.nats.max_bytes, or let NATS store more: max_file_store, max_memory_store, the limits of the account"
		case codeNoPeers, codeOneServer:
			advice = "bus.nats.replicas needs as many NATS servers with JetStream, in one cluster"
		case codeOverlap:
			advice = "another stream has these subjects: choose another bus.nats.stream"
		case jetstream.JSErrCodeJetStreamNotEnabled, jetstream.JSErrCodeJetStreamNotEnabledForAccount:
			advice = "enable JetStream on the NATS server, and for the account"
		}
	case errors.Is(err, jetstream.ErrBadBucket):
		advice = "another stream has the name of the bucket: choose another bus.nats.stream"
	}
	if advice == "" {
		return natserr.Explain(err)
	}
	return fmt.Errorf("%s: %w", advice, err)
}

// explain is like the function explain, for an error of a node that is open: it may have lost its connection.
func (b *Bus) explain(err error) error {
	if err == nil || errors.Is(err, errUnrenewed) {
		return err
	}
	explained := explain(err)
	if !errors.Is(explained, natserr.ErrAway) {
		if lost := b.disconnected(); lost != nil && errors.Is(explained, natserr.ErrDisconnected) {
			return lost
		}
		return explained
	}
	if lost := b.disconnected(); lost != nil {
		return fmt.Errorf("%w: %w", lost, err)
	}
	if b.embedded != nil {
		return fmt.Errorf("the embedded NATS server doesn't answer; check that the disk of data.dir is neither slow nor full: %w", err)
	}
	return explained
}

// logged is the newest error of a kind, and when it occurred.
type logged struct {
	text string
	at   time.Time
}

// quiet is how long an error must not occur before the same is logged again.
const quiet = time.Minute

// changed reports whether an error has to be logged: it differs from the one before, or that is long ago.
func (l *logged) changed(err error) bool {
	before := *l
	l.text, l.at = natserr.Text(err), time.Now()
	return l.text != before.text || l.at.Sub(before.at) > quiet
}

// explainOpen adds what to do to an error of opening the stream. last is the newest error of the connection.
func explainOpen(err, last error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded) && errors.Is(last, nats.ErrPermissionViolation):
		return fmt.Errorf("the NATS user of bus.nats.credentials, or of bus.nats.url, needs more permissions: %w", last)
	case errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("JetStream doesn't answer; enable it on the NATS server, and for the account: %w", err)
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return fmt.Errorf("the stream drops messages before this node reads them; raise bus.nats.max_bytes, or bus.nats.max_age: %w", err)
	}
	return explain(err)
}

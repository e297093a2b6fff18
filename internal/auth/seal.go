package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
)

// random returns 256 random bits as base64url.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// secretKeys are the keys for what the server gives to browsers to keep, derived from one secret.
type secretKeys struct {
	session        []byte // signs sessions
	state, refresh *sealer
	ticket         ticketKeys
	fingerprint    string // equal for equal secrets
}

// newSecretKeys derives the keys from a file's secret, or from a random one if file is empty.
func newSecretKeys(file string) (secretKeys, error) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	if file != "" {
		var err error
		if secret, err = readSecret(file, minSecret); err != nil {
			return secretKeys{}, err
		}
	}
	derive := func(purpose string) []byte {
		key, err := hkdf.Key(sha256.New, secret, nil, "ticklane "+purpose, 32)
		if err != nil {
			panic(err) // only for a wrong length
		}
		return key
	}
	return secretKeys{
		session: derive("session"), state: newSealer(derive("oidc state")), refresh: newSealer(derive("oidc refresh")),
		ticket:      ticketKeys{name: derive("ticket name"), content: newSealer(derive("ticket content"))},
		fingerprint: hex.EncodeToString(derive("fingerprint")[:8]),
	}, nil
}

// sealer encrypts values that a browser keeps and can't read or change (AES-256-GCM).
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) *sealer {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // only for a wrong length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return &sealer{aead}
}

// seal returns v as base64url text.
func (s *sealer) seal(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, text, nil)), nil
}

// open reads what seal has returned.
func (s *sealer) open(sealed string, v any) error {
	b, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err == nil {
		b, err = s.aead.Open(nil, nil, b, nil)
	}
	if err != nil || !canonical(sealed) {
		return errors.New("was changed, or was sealed by another key")
	}
	return json.Unmarshal(b, v)
}

// canonical reports whether a text has only the characters of a JWT: those of base64url, and dots. Decoders skip line ends, so
// without this check many texts would have the same value.
func canonical(text string) bool {
	return strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

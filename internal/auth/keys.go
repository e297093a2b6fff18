package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ticklane/internal/excerpt"
)

const (
	maxKeys   = 64   // of a list
	maxTried  = 16   // keys that one signature is checked with
	minRSABit = 2048 // RFC 7518 §3.3
)

var (
	rsaMethods  = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	hmacMethods = []string{"HS256", "HS384", "HS512"}
	allMethods  = slices.Concat(rsaMethods, hmacMethods, []string{"ES256", "ES384", "ES512", "EdDSA"})
)

// key is a key with the algorithms that it may be used with. A public key is never one of HMAC.
type key struct {
	id      string // kid, "" for a key that fits any
	methods []string
	key     any // *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey, or []byte for HMAC
	// fingerprint identifies the key itself, whatever its id: a new key may have the id of an old one.
	fingerprint string
}

// fingerprintOf returns the fingerprint of a key in its PKIX form, or of a secret.
func fingerprintOf(text []byte) string {
	hash := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(hash[:9])
}

// newKey returns a public key with the algorithms of its type, and only method if that isn't empty.
func newKey(id string, public any, method string) (key, error) {
	k := key{id: id, key: public}
	switch public := public.(type) {
	case *rsa.PublicKey:
		if public.N.BitLen() < minRSABit {
			return key{}, fmt.Errorf("RSA key of %d bits; want at least %d", public.N.BitLen(), minRSABit)
		}
		k.methods = rsaMethods
	case *ecdsa.PublicKey:
		name, ok := map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[public.Params().BitSize]
		if !ok {
			return key{}, fmt.Errorf("curve %s; want P-256, P-384 or P-521", public.Params().Name)
		}
		k.methods = []string{name}
	case ed25519.PublicKey:
		k.methods = []string{"EdDSA"}
	default:
		return key{}, errors.New("want an RSA, ECDSA or Ed25519 key")
	}
	if method != "" {
		if !slices.Contains(k.methods, method) {
			return key{}, fmt.Errorf("alg %q doesn't fit the key", excerpt.Of(method))
		}
		k.methods = []string{method}
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return key{}, err
	}
	k.fingerprint = fingerprintOf(der)
	return k, nil
}

// parsePEM returns the public keys of a PEM file: keys or certificates.
func parsePEM(text []byte) ([]key, error) {
	var keys []key
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		var public any
		var err error
		switch block.Type {
		case "PUBLIC KEY":
			public, err = x509.ParsePKIXPublicKey(block.Bytes)
		case "RSA PUBLIC KEY":
			public, err = x509.ParsePKCS1PublicKey(block.Bytes)
		case "CERTIFICATE":
			var cert *x509.Certificate
			if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
				public = cert.PublicKey
			}
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY":
			return nil, errors.New("it has a private key; this server needs only the public one: openssl pkey -in FILE -pubout")
		default:
			return nil, fmt.Errorf("block %q; want PUBLIC KEY or CERTIFICATE", excerpt.Of(block.Type))
		}
		if err != nil {
			return nil, err
		}
		k, err := newKey("", public, "")
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("it has no key; want a PEM file with PUBLIC KEY or CERTIFICATE")
	}
	return keys, nil
}

// keySet is an immutable list of keys.
type keySet []key

// fitting returns the keys for a signature by their id and algorithm, at most maxTried. Keys without id fit any; a signature
// without id is checked with all keys of its algorithm. known reports whether the id occurs.
func (s keySet) fitting(id, method string) (keys []key, known bool) {
	for _, k := range s {
		if id != "" && k.id != "" && k.id != id {
			continue
		}
		known = known || id == "" || k.id == id
		if slices.Contains(k.methods, method) && len(keys) < maxTried {
			keys = append(keys, k)
		}
	}
	return keys, known
}

// fingerprints returns a fingerprint of all public keys and one of all secrets, whatever their order.
func (s keySet) fingerprints() (public, secret string) {
	var all [2][]string
	for _, k := range s {
		kind := 0
		if _, ok := k.key.([]byte); ok {
			kind = 1
		}
		all[kind] = append(all[kind], k.fingerprint)
	}
	for i := range all {
		slices.Sort(all[i])
		all[i] = slices.Compact(all[i])
	}
	return fingerprintOf([]byte(strings.Join(all[0], ""))), fingerprintOf([]byte(strings.Join(all[1], "")))
}

// has reports whether the list has a key with this fingerprint.
func (s keySet) has(fingerprint string) bool {
	return slices.ContainsFunc(s, func(k key) bool { return k.fingerprint == fingerprint })
}

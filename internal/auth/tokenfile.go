package auth

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"ticklane/internal/excerpt"
)

// maxTokens bounds the tokens of a file.
const maxTokens = 10_000

// TokenPrefix makes a token recognizable, for instance to scanners for leaked secrets.
const TokenPrefix = "tl_"

// hashPrefix precedes a token's hash in the file.
const hashPrefix = "sha256:"

// Token is an entry of the token file. It has the hash of its secret, not the secret.
type Token struct {
	Name    string
	Subject string // "" for Name
	Hash    [sha256.Size]byte
	Created time.Time
	Expires time.Time // zero for never
	Revoked time.Time // zero for a token in use
	Rights  Rights
}

// NewToken returns a token in use with a random secret of 256 bits, and the secret. SHA-256 without salt suffices for a secret that
// can't be guessed.
func NewToken(name string, rights Rights, expires time.Time) (t Token, secret string) {
	secret = TokenPrefix + random()
	return Token{Name: name, Hash: sha256.Sum256([]byte(secret)), Created: time.Now().UTC().Truncate(time.Second), Expires: expires, Rights: rights}, secret
}

// tokenEntry is a Token as it is written.
type tokenEntry struct {
	Name    string           `yaml:"name"`
	Subject string           `yaml:"subject,omitempty"`
	Hash    string           `yaml:"hash"`
	Created time.Time        `yaml:"created,omitempty"`
	Expires time.Time        `yaml:"expires,omitempty"`
	Revoked time.Time        `yaml:"revoked,omitempty"`
	Rights  []map[string]any `yaml:"rights"`
}

type tokenList struct {
	Tokens []tokenEntry `yaml:"tokens"`
}

// ParseTokens parses a token file. The error names the token and its field.
func ParseTokens(text []byte) ([]Token, error) {
	var list tokenList
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New(strings.NewReplacer(" in type auth.tokenEntry", "", " in type auth.tokenList", "", " into auth.tokenEntry", "", " into []auth.tokenEntry", "", "\n", "").Replace(err.Error()))
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("a second YAML document begins after ---: use one document")
	}
	if len(list.Tokens) > maxTokens {
		return nil, fmt.Errorf("tokens: %d; want at most %d", len(list.Tokens), maxTokens)
	}
	tokens := make([]Token, 0, len(list.Tokens))
	names, hashes := map[string]bool{}, map[[sha256.Size]byte]bool{}
	for i, e := range list.Tokens {
		t, err := e.token()
		switch {
		case err != nil:
			return nil, fmt.Errorf("token %d (%s): %w", i+1, excerpt.Of(e.Name), err)
		case names[t.Name]:
			return nil, fmt.Errorf("token %d (%s): name: given twice", i+1, excerpt.Of(e.Name))
		case hashes[t.Hash]:
			return nil, fmt.Errorf("token %d (%s): hash: another token has it, too", i+1, excerpt.Of(e.Name))
		}
		names[t.Name], hashes[t.Hash] = true, true
		tokens = append(tokens, t)
	}
	return tokens, nil
}

func (e *tokenEntry) token() (Token, error) {
	t := Token{Name: e.Name, Subject: e.Subject, Created: e.Created, Expires: e.Expires, Revoked: e.Revoked}
	if err := checkName(e.Name); err != nil {
		return t, fmt.Errorf("name: %w", err)
	}
	if e.Subject != "" {
		if err := checkName(e.Subject); err != nil {
			return t, fmt.Errorf("subject: %w", err)
		}
	}
	digits, ok := strings.CutPrefix(e.Hash, hashPrefix)
	if n, err := hex.Decode(t.Hash[:], []byte(digits[:min(len(digits), 2*sha256.Size)])); !ok || err != nil || n != sha256.Size || len(digits) != 2*sha256.Size {
		return t, fmt.Errorf("hash: want %s and 64 hexadecimal digits", hashPrefix)
	}
	if e.Rights == nil {
		return t, errors.New(`rights: missing; want a list such as [{read: ["*"]}]`)
	}
	rights, err := json.Marshal(e.Rights)
	if err != nil {
		return t, errors.New("rights: want names and values as in JSON")
	}
	t.Rights, err = ParseRights(rights)
	return t, err
}

const tokenFileHead = `# Tokens of Ticklane, written by: ticklane token. Each has the SHA-256 hash of its secret, never the secret.
# The server reads this file again when it changes. docs/access.md describes the rights. Comments are lost when it is written.
`

// formatTokens returns the text of a token file.
func formatTokens(tokens []Token) ([]byte, error) {
	list := tokenList{Tokens: []tokenEntry{}}
	for _, t := range tokens {
		e := tokenEntry{Name: t.Name, Subject: t.Subject, Hash: hashPrefix + hex.EncodeToString(t.Hash[:]), Created: t.Created, Expires: t.Expires, Revoked: t.Revoked}
		rights, err := json.Marshal(t.Rights)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(rights, &e.Rights); err != nil {
			return nil, err
		}
		list.Tokens = append(list.Tokens, e)
	}
	var text bytes.Buffer
	text.WriteString(tokenFileHead)
	y := yaml.NewEncoder(&text)
	y.SetIndent(2)
	if err := y.Encode(list); err != nil {
		return nil, err
	}
	return text.Bytes(), y.Close()
}

// ReadTokens reads a token file, which need not exist.
func ReadTokens(file string) ([]Token, error) {
	text, err := readFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	tokens, err := ParseTokens(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return tokens, nil
}

// WriteTokens replaces a token file atomically and keeps its mode and owner. Only the owner may read a new one.
func WriteTokens(file string, tokens []Token) error {
	return replaceFile(file, lockWait, func([]byte) ([]byte, error) { return checkedTokens(tokens) })
}

// ChangeTokens replaces a token file, as WriteTokens does, by what change makes of its tokens. Another process that changes it
// meanwhile waits. An error of change is returned as it is.
func ChangeTokens(file string, change func([]Token) ([]Token, error)) error {
	return replaceFile(file, lockWait, func(old []byte) ([]byte, error) {
		tokens, err := ParseTokens(old)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if tokens, err = change(tokens); err != nil {
			return nil, err
		}
		return checkedTokens(tokens)
	})
}

// checkedTokens returns the text of a token file, or an error rather than a file that the server refuses.
func checkedTokens(tokens []Token) ([]byte, error) {
	text, err := formatTokens(tokens)
	if err == nil {
		_, err = ParseTokens(text)
	}
	return text, err
}

// principal returns the principal of a token.
func (t *Token) principal() *Principal {
	rights, _ := json.Marshal(t.Rights)
	version := sha256.Sum256(fmt.Appendf(nil, "%x %q %s %s", t.Hash, t.Subject, rights, t.Expires.UTC()))
	return &Principal{
		Subject: cmp.Or(t.Subject, t.Name), TokenID: t.Name, Issued: t.Created, Expires: t.Expires, Rights: t.Rights,
		source: sourceFile, key: base64.RawURLEncoding.EncodeToString(t.Hash[:9]), version: base64.RawURLEncoding.EncodeToString(version[:9]),
	}
}

package auth

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"ticklane/internal/strictjson"
)

// maxRevocations bounds the revocations of tokens and subjects, and those of sessions.
const maxRevocations = 100_000

// Revocation ends a token, or the tokens of a subject. In the file each is a line of JSON.
type Revocation struct {
	TokenID string    `json:"jti,omitempty"`     // claim jti, or the name of a token
	Subject string    `json:"subject,omitempty"` // with Before
	Before  time.Time `json:"before,omitzero"`   // tokens of Subject that were issued earlier; those without a time of issue always
	Session string    `json:"session,omitempty"` // a session that was signed out
	Expires time.Time `json:"expires,omitzero"`  // when what it revokes expires anyway; zero: the revocation is kept for good
	Reason  string    `json:"reason,omitempty"`  // for people
}

// check returns an error that names the member.
func (r *Revocation) check() error {
	given := 0
	for _, c := range []struct{ name, text string }{{"jti", r.TokenID}, {"subject", r.Subject}, {"session", r.Session}} {
		if c.text != "" {
			if err := checkName(c.text); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			given++
		}
	}
	switch {
	case given != 1:
		return errors.New("jti, subject: want one of them")
	case !r.Before.IsZero() && r.Subject == "":
		return errors.New("before: only with subject")
	case r.Subject != "" && r.Before.IsZero():
		return errors.New("before: missing: tokens issued earlier are revoked")
	case len(r.Reason) > maxName:
		return fmt.Errorf("reason: want at most %d bytes", maxName)
	}
	return nil
}

// ParseRevocation parses a new revocation, which without Before revokes what was issued until now. The error names the member.
func ParseRevocation(text []byte) (Revocation, error) {
	r, err := readRevocation(text)
	if err != nil {
		return r, err
	}
	return r, r.complete(time.Now())
}

// complete sets what a new revocation may leave out, and checks it.
func (r *Revocation) complete(now time.Time) error {
	if r.Subject != "" && r.Before.IsZero() {
		r.Before = now.UTC()
	}
	if !r.Expires.IsZero() && !now.Before(r.Expires) {
		return errors.New("expires: want a time in the future")
	}
	return r.check()
}

// readRevocation parses a revocation without checking it.
func readRevocation(text []byte) (Revocation, error) {
	if err := strictjson.CheckMembers(text, "jti", "subject", "before", "session", "expires", "reason"); err != nil {
		return Revocation{}, err
	}
	var r Revocation
	if err := json.Unmarshal(text, &r); err != nil {
		return Revocation{}, errors.New(`want a JSON object such as {"jti":"7f3a","expires":"2027-01-31T12:00:00Z"}`)
	}
	return r, nil
}

// Revocations ends tokens, subjects' tokens and sessions before they expire.
type Revocations struct {
	file    *watchedFile  // nil: in memory only
	tokens  *tokenStore   // nil without a token file
	jwt     *jwtVerifier  // nil unless in ModeJWT
	changed chan struct{} // of one element

	fileMu sync.Mutex // held while the file and the maps are made equal; Check needs mu only, so it never waits for the disk

	mu        sync.RWMutex
	byToken   map[string]Revocation
	bySubject map[string]Revocation
	sessions  map[string]Revocation
	calls     []func()
}

// newRevocations reads the file, if there is one. It removes the lines that have expired.
func newRevocations(file string) (*Revocations, error) {
	r := &Revocations{changed: make(chan struct{}, 1)}
	r.clear()
	if file == "" {
		return r, nil
	}
	r.file = &watchedFile{name: file}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err := r.load(); err != nil {
		return nil, err
	}
	return r, r.compact()
}

func (r *Revocations) clear() {
	r.byToken, r.bySubject, r.sessions = map[string]Revocation{}, map[string]Revocation{}, map[string]Revocation{}
}

// load replaces the revocations by those of the file. If one line is invalid, it adds the others to those in force and returns
// an error that names the line.
func (r *Revocations) load() error {
	r.fileMu.Lock()
	defer r.fileMu.Unlock()
	text, err := r.file.read()
	if err != nil {
		return err
	}
	var list []Revocation
	var invalid error
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		one, err := readRevocation(line)
		if err == nil {
			err = one.check()
		}
		if err != nil {
			invalid = errors.Join(invalid, fmt.Errorf("%s:%d: %w", r.file.name, n, err))
			continue
		}
		list = append(list, one)
	}
	invalid = errors.Join(invalid, lines.Err())
	r.mu.Lock()
	defer r.mu.Unlock()
	if invalid == nil {
		r.clear()
	}
	now := time.Now()
	for _, one := range list {
		if err := r.put(one, now); err != nil {
			return err
		}
	}
	return invalid
}

// Add revokes something at once, and in the file. The error names the member of the revocation, or is ErrBusy, or that of writing
// the file: then the revocation is in force, but only until the process ends.
func (r *Revocations) Add(one Revocation) error {
	now := time.Now()
	if err := one.complete(now); err != nil {
		return err
	}
	r.fileMu.Lock()
	defer r.fileMu.Unlock()
	r.mu.Lock()
	err := r.put(one, now)
	r.mu.Unlock()
	if err != nil {
		return err
	}
	r.notify()
	if r.file == nil {
		return nil
	}
	return r.appendLine(one)
}

// appendLine is called with fileMu held.
func (r *Revocations) appendLine(one Revocation) error {
	line, err := json.Marshal(one)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(r.file.name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	line = append(line, '\n')
	if info, err := f.Stat(); err == nil && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			line = append([]byte{'\n'}, line...) // after a line that was written by hand, or in part
		}
	}
	if _, err := f.Write(line); err != nil {
		return err
	}
	r.file.wrote(len(line))
	return f.Sync()
}

// compact rewrites the file without the lines that have expired, if they are many.
func (r *Revocations) compact() error {
	text, err := readFile(r.file.name)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var kept bytes.Buffer
	live := len(r.byToken) + len(r.bySubject) + len(r.sessions)
	if lines := bytes.Count(text, []byte{'\n'}); lines < 1000 || lines < 2*live {
		return nil
	}
	for _, all := range []map[string]Revocation{r.byToken, r.bySubject, r.sessions} {
		for _, one := range all {
			line, err := json.Marshal(one)
			if err != nil {
				return err
			}
			kept.Write(append(line, '\n'))
		}
	}
	return replaceFile(r.file.name, lockWait, func([]byte) ([]byte, error) { return kept.Bytes(), nil })
}

// put is called with mu held.
func (r *Revocations) put(one Revocation, now time.Time) error {
	all, key := r.byToken, one.TokenID
	switch {
	case one.Subject != "":
		all, key = r.bySubject, one.Subject
	case one.Session != "":
		all, key = r.sessions, one.Session
	}
	if len(r.byToken)+len(r.bySubject) >= maxRevocations || len(r.sessions) >= maxRevocations {
		for _, m := range []map[string]Revocation{r.byToken, r.bySubject, r.sessions} {
			for key, one := range m {
				if one.expired(now) {
					delete(m, key)
				}
			}
		}
	}
	if one.expired(now) {
		return nil
	}
	count := len(r.byToken) + len(r.bySubject)
	if one.Session != "" {
		count = len(r.sessions)
	}
	before, known := all[key]
	if count >= maxRevocations && !known {
		return fmt.Errorf("revocations: %w: want at most %d", ErrBusy, maxRevocations)
	}
	if known { // the one that revokes more
		if before.Before.After(one.Before) {
			one.Before = before.Before
		}
		if before.Expires.IsZero() || !one.Expires.IsZero() && before.Expires.After(one.Expires) {
			one.Expires = before.Expires
		}
	}
	all[key] = one
	return nil
}

// revocationMargin is longer than any auth.jwt.leeway, by which a token outlives its claim exp.
const revocationMargin = 10 * time.Minute

func (r *Revocation) expired(now time.Time) bool {
	return !r.Expires.IsZero() && !now.Before(r.Expires.Add(revocationMargin))
}

// Check returns ErrRevoked if a principal's token, subject or session was revoked or the key that has signed the token was removed,
// and ErrExpired if its entry in the token file has changed, so that its streams should end and may be opened again. It returns nil
// for a principal without credential.
func (r *Revocations) Check(p *Principal) error {
	if !p.Authenticated() {
		return nil
	}
	r.mu.RLock()
	_, token := r.byToken[p.TokenID]
	subject, known := r.bySubject[p.Subject]
	_, session := r.sessions[p.Session]
	r.mu.RUnlock()
	// A zero time of issue, which is unknown, is before all others.
	if token || session || known && p.Issued.Before(subject.Before) {
		return ErrRevoked
	}
	if r.tokens != nil && p.source == sourceFile {
		_, err := r.tokens.current(p)
		return err
	}
	if r.jwt != nil && p.source == sourceJWT && r.jwt.removed(p.key) {
		return errKeyRemoved
	}
	return nil
}

// Revoked reports whether Check returns ErrRevoked.
func (r *Revocations) Revoked(p *Principal) bool { return errors.Is(r.Check(p), ErrRevoked) }

// OnChange adds a function that Service.Run calls after anything that may change what Check returns, at once and again a second
// later. It must not block.
func (r *Revocations) OnChange(call func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
}

func (r *Revocations) notify() {
	select {
	case r.changed <- struct{}{}:
	default: // a call is due already
	}
}

func (r *Revocations) callback() {
	r.mu.RLock()
	calls := r.calls
	r.mu.RUnlock()
	for _, call := range calls {
		call()
	}
}

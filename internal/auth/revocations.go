package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
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
	Secret  string    `json:"secret,omitempty"`  // identifies the secret of a token of the file that is marked there as revoked
	Expires time.Time `json:"expires,omitzero"`  // when what it revokes expires anyway; zero: the revocation is kept for good
	Reason  string    `json:"reason,omitempty"`  // for people
}

// check returns an error that names the member.
func (r *Revocation) check() error {
	given := 0
	for _, c := range []struct{ name, text string }{{"jti", r.TokenID}, {"subject", r.Subject}, {"session", r.Session}, {"secret", r.Secret}} {
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
	switch {
	case err != nil:
		return r, err
	case r.Secret != "":
		return r, errors.New("secret: only servers set it; want jti")
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
	if err := strictjson.CheckMembers(text, "jti", "subject", "before", "session", "secret", "expires", "reason"); err != nil {
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
	file    *watchedFile    // nil: in memory only
	tokens  *tokenStore     // nil without a token file
	jwt     *jwtVerifier    // nil unless in ModeJWT
	changed chan struct{}   // of one element
	store   RevocationStore // of all servers; nil for this one only

	fileMu    sync.Mutex   // held while the file and the maps are made equal; Check needs mu only, so it never waits for the disk
	unwritten []Revocation // in force, but not in the file, because it couldn't be written; guarded by fileMu

	mu        sync.RWMutex
	byToken   map[string]Revocation
	bySubject map[string]Revocation
	sessions  map[string]Revocation
	bySecret  map[string]Revocation
	calls     []func()
}

// newRevocations reads the file, if there is one.
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
	return r, r.load()
}

// maps returns the maps of revocations.
func (r *Revocations) maps() [4]*map[string]Revocation {
	return [...]*map[string]Revocation{&r.byToken, &r.bySubject, &r.sessions, &r.bySecret}
}

func (r *Revocations) clear() {
	for _, all := range r.maps() {
		*all = map[string]Revocation{}
	}
}

// load replaces the revocations by those of the file. If one line is invalid, it adds the others to those in force and returns
// an error that names the line. An empty file changes nothing: a program that writes it may have just truncated it. Nothing is
// lifted that is shared with other servers: they keep it.
func (r *Revocations) load() error {
	r.fileMu.Lock()
	defer r.fileMu.Unlock()
	text, err := r.file.read()
	if err != nil {
		return err
	}
	list, invalid := parseRevocations(r.file.name, text)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(text) == 0 && r.count() > 0 {
		return fmt.Errorf("%s: is empty; write an empty line to remove all revocations", r.file.name)
	}
	if invalid == nil && r.store == nil {
		r.clear()
	}
	now := time.Now()
	for _, one := range slices.Concat(list, r.unwritten) { // bounded by the size of the file
		r.put(one, now)
	}
	return invalid
}

// parseRevocations returns the revocations of the valid lines of a file, and an error that names the first invalid line.
func parseRevocations(name string, text []byte) (list []Revocation, invalid error) {
	n := 0
	for line := range bytes.Lines(text) {
		n++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		one, err := readRevocation(line)
		if err == nil {
			err = one.check()
		}
		if err == nil {
			list = append(list, one)
		} else if invalid == nil {
			invalid = fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	return list, invalid
}

// Add revokes something at once, in the file, and on the other servers. The error names the member of the revocation, or is ErrBusy,
// or that of writing the file: then the revocation is in force, but only until the process ends, unless a later one can be
// written. With ErrNotShared it is in force here and in the file, and the other servers get it later.
func (r *Revocations) Add(one Revocation) error {
	if err := one.complete(time.Now()); err != nil {
		return err
	}
	err := r.add(one)
	if errors.Is(err, ErrBusy) {
		return err
	}
	shared := r.publish(one)
	if err != nil && shared != nil {
		return fmt.Errorf("%w; and %s", err, shared.Error()) // it isn't ErrNotShared
	}
	return errors.Join(err, shared)
}

// add is Add on this server, for a complete revocation.
func (r *Revocations) add(one Revocation) error {
	now := time.Now()
	r.fileMu.Lock()
	defer r.fileMu.Unlock()
	r.mu.Lock()
	full := r.full(&one, now)
	if !full {
		r.put(one, now)
	}
	r.mu.Unlock()
	if full {
		return fmt.Errorf("revocations: %w: want at most %d", ErrBusy, maxRevocations)
	}
	r.notify()
	if r.file == nil {
		return nil
	}
	r.unwritten = append(liveRevocations(r.unwritten), one)
	list := r.unwritten
	if info := r.file.now(); info == nil || info.Size() == 0 { // it was removed or truncated, or there was none yet
		r.mu.RLock()
		list = r.all()
		r.mu.RUnlock()
	}
	lines, err := formatRevocations(list)
	if err == nil {
		err = r.file.append(lines)
	}
	if err == nil {
		r.unwritten = nil
	}
	return err
}

// formatRevocations returns the lines of a file.
func formatRevocations(list []Revocation) ([]byte, error) {
	var lines bytes.Buffer
	for i := range list {
		line, err := json.Marshal(&list[i])
		if err != nil {
			return nil, err
		}
		lines.Write(append(line, '\n'))
	}
	return lines.Bytes(), nil
}

// compact rewrites the file without the lines that have expired or are repeated, if they are many.
func (r *Revocations) compact() error {
	if r.file == nil {
		return nil
	}
	text, err := readFile(r.file.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	lines := bytes.Count(text, []byte{'\n'})
	if err != nil || lines < 1000 {
		return err
	}
	list, err := parseRevocations(r.file.name, text)
	if err != nil || lines < 2*len(liveRevocations(list)) {
		return err
	}
	return r.rewrite()
}

// liveRevocations returns the revocations that haven't expired, one for each token, subject and session.
func liveRevocations(list []Revocation) []Revocation {
	var r Revocations
	r.clear()
	now := time.Now()
	for _, one := range list {
		r.put(one, now)
	}
	return r.all()
}

// rewrite replaces the file by its live revocations. Lines that another process adds to the old file meanwhile are kept.
func (r *Revocations) rewrite() error {
	r.fileMu.Lock()
	defer r.fileMu.Unlock()
	var old *os.File
	err := replaceFile(r.file.name, 0, func([]byte) (text []byte, err error) {
		if old, err = os.Open(r.file.name); err != nil {
			return nil, err
		}
		if text, err = io.ReadAll(old); err != nil {
			return nil, err
		}
		list, err := parseRevocations(r.file.name, text)
		if err != nil {
			return nil, err
		}
		text, err = formatRevocations(liveRevocations(list))
		return append(text, '\n'), err // an empty file counts as unfinished
	})
	if old == nil {
		return err
	}
	defer old.Close()
	if err != nil {
		return err
	}
	late, err := io.ReadAll(old)
	if err != nil || len(late) == 0 {
		return err
	}
	return r.file.append(late)
}

// full reports whether maxRevocations leaves no room for one. It first removes expired revocations. It is called with mu held.
func (r *Revocations) full(one *Revocation, now time.Time) bool {
	if r.room(one) {
		return false
	}
	r.removeExpired(now)
	return !r.room(one)
}

// room reports whether maxRevocations leaves room for one. It is called with mu held.
func (r *Revocations) room(one *Revocation) bool {
	all, key := r.of(one)
	if _, known := all[key]; known {
		return true
	}
	if one.Session != "" {
		return len(r.sessions) < maxRevocations
	}
	return len(r.byToken)+len(r.bySubject)+len(r.bySecret) < maxRevocations
}

// removeExpired is called with mu held.
func (r *Revocations) removeExpired(now time.Time) {
	for _, all := range r.maps() {
		maps.DeleteFunc(*all, func(_ string, one Revocation) bool { return one.Expired(now) })
	}
}

// count returns how many there are. It is called with mu held.
func (r *Revocations) count() (n int) {
	for _, all := range r.maps() {
		n += len(*all)
	}
	return n
}

// all returns them in no order. It is called with mu held.
func (r *Revocations) all() []Revocation {
	list := make([]Revocation, 0, r.count())
	for _, all := range r.maps() {
		list = slices.AppendSeq(list, maps.Values(*all))
	}
	return list
}

// of returns the map of a revocation, and its key there.
func (r *Revocations) of(one *Revocation) (all map[string]Revocation, key string) {
	switch {
	case one.Subject != "":
		return r.bySubject, one.Subject
	case one.Session != "":
		return r.sessions, one.Session
	case one.Secret != "":
		return r.bySecret, one.Secret
	}
	return r.byToken, one.TokenID
}

// put is called with mu held.
func (r *Revocations) put(one Revocation, now time.Time) {
	if one.Expired(now) {
		return
	}
	all, key := r.of(&one)
	if before, known := all[key]; known {
		one = one.Union(before)
	}
	all[key] = one
}

// Union returns what revokes as much as both of two revocations of the same token, subject, session or secret.
func (r Revocation) Union(other Revocation) Revocation {
	if other.Before.After(r.Before) {
		r.Before = other.Before
	}
	if other.Expires.IsZero() || !r.Expires.IsZero() && other.Expires.After(r.Expires) {
		r.Expires = other.Expires
	}
	return r
}

// RevocationMargin is how long a revocation is kept after its Expires. It is longer than any auth.jwt.leeway, by which a token outlives
// its claim exp.
const RevocationMargin = 10 * time.Minute

// Expired reports whether the revocation is needed no more.
func (r *Revocation) Expired(now time.Time) bool {
	return !r.Expires.IsZero() && !now.Before(r.Expires.Add(RevocationMargin))
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
	secret := false
	if p.source == sourceFile {
		_, secret = r.bySecret[p.key]
	}
	r.mu.RUnlock()
	// A zero time of issue, which is unknown, is before all others.
	if token || session || secret || known && p.Issued.Before(subject.Before) {
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

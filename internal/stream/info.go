package stream

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// identity is what doesn't change of a stream's description.
type identity struct {
	conn     string // secret
	id       string // public
	engine   string
	user     string
	address  string
	openedAt time.Time
	mode     Mode // as requested
}

func newIdentity(opt *Options) identity {
	return identity{
		conn:     randomHex(16),
		id:       randomHex(4),
		engine:   opt.Engine,
		user:     opt.User,
		address:  opt.Address,
		openedAt: time.Now(),
		mode:     opt.Mode,
	}
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails since Go 1.24
	return hex.EncodeToString(b)
}

// Info describes a stream in a list.
type Info struct {
	ID          string   `json:"id"`
	Lane        string   `json:"lane"`
	Encoding    string   `json:"encoding"`
	Engine      string   `json:"engine"`
	User        string   `json:"user"`
	Address     string   `json:"address,omitempty"`
	Topics      []string `json:"topics"`
	Mode        string   `json:"mode"`
	Since       int64    `json:"since"` // µs since 1970
	Position    uint64   `json:"position"`
	Lag         uint64   `json:"lag"` // ticks of the log between Position and the head
	Slow        bool     `json:"slow"`
	Compression string   `json:"compression"` // none, gzip or permessage-deflate
	Counters
}

// Info returns the stream's description and counters.
func (s *Subscriber) Info() Info {
	mode := s.identity.mode
	if s.conflating.Load() {
		mode = ModeLatest
	}
	pos, head := s.position.Load(), s.log.head.Load()
	return Info{
		ID:          s.identity.id,
		Lane:        s.Lane().String(),
		Encoding:    s.format.Encoding().String(),
		Engine:      s.identity.engine,
		User:        s.identity.user,
		Address:     s.identity.address,
		Topics:      append([]string{}, *s.topicNames.Load()...),
		Mode:        mode.String(),
		Since:       s.identity.openedAt.UnixMicro(),
		Position:    pos,
		Lag:         head - min(head, pos),
		Slow:        s.slow.Load(),
		Compression: s.compression.String(),
		Counters:    s.Counters(),
	}
}

// publishTopics makes the names of the present topics visible to Info.
func (s *Subscriber) publishTopics() {
	names := s.topics.Names()
	s.topicNames.Store(&names)
}

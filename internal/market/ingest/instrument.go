package ingest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"ticklane/internal/quote"
)

// instrument returns the instrument of the line that was parsed last.
func (p *parser) instrument() (in quote.Instrument, f *fault) {
	o := &p.object
	for _, m := range []struct {
		member
		into *string
	}{
		{memberS, &in.Symbol}, {memberName, &in.Name}, {memberSector, &in.Sector}, {memberCurrency, &in.Currency}, {memberVenue, &in.Venue},
	} {
		if f = p.copyText(m.member, m.into); f != nil {
			return in, f
		}
	}
	if in.Sector == "" {
		in.Sector = defaultSector
	}
	if p.mayWrite != nil && !p.mayWrite(in.Symbol, in.Sector) {
		return in, forbidden([]byte(in.Symbol))
	}
	in.Decimals = 2
	if f = first(p.decimals(memberDecimals, &in.Decimals), p.decimals(memberSizeDecimals, &in.SizeDecimals)); f != nil {
		return in, f
	}
	if o.set.has(memberNegative) {
		v := &o.values[memberNegative]
		if v.kind != kindBool {
			return in, &fault{"negative", "want true or false"}
		}
		in.Negative = v.raw[0] == 't'
	}
	if o.set.has(memberTickSize) {
		v := &o.values[memberTickSize]
		if v.kind != kindNumber {
			return in, &fault{"tick_size", "want a number"}
		}
		var err error
		if in.TickSize, err = quote.ParsePrice(string(v.raw), in.Decimals); err != nil {
			return in, &fault{"tick_size", string(v.raw) + ": " + err.Error()}
		}
	}
	if in.Session, f = p.session(); f != nil {
		return in, f
	}
	return in, faultOf(in.Check())
}

// defaultSector is the sector of instruments whose line has none.
const defaultSector = "feed"

func (p *parser) decimals(m member, into *uint8) *fault {
	if !p.object.set.has(m) {
		return nil
	}
	n, f := p.integer(m)
	if f != nil || n > quote.MaxDecimals {
		return &fault{m.String(), "want 0 to 9"}
	}
	*into = uint8(n)
	return nil
}

// session returns the session of an instrument's line, nil if it has none.
func (p *parser) session() (*quote.Session, *fault) {
	if !p.object.set.has(memberSession) {
		return nil, nil
	}
	const want = `want an object such as {"zone":"America/New_York","open":"09:30","close":"16:00"}`
	v := &p.object.values[memberSession]
	if v.kind != kindComposite {
		return nil, &fault{"session", want}
	}
	s, ok := texts(v.raw, "zone", "open", "close")
	if !ok {
		return nil, &fault{"session", want}
	}
	session, err := quote.NewSession(s["zone"], s["open"], s["close"])
	if err != nil {
		field, reason, _ := strings.Cut(err.Error(), ": ")
		return nil, &fault{"session." + field, reason}
	}
	return session, nil
}

// texts returns the members of a valid JSON object; ok is false unless they have known, different names and are texts.
func texts(object []byte, known ...string) (m map[string]string, ok bool) {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	m = make(map[string]string)
	for d.More() {
		name, _ := d.Token() // it is valid
		value, _ := d.Token()
		key, _ := name.(string)
		text, isText := value.(string)
		if _, twice := m[key]; twice || !isText || !slices.Contains(known, key) {
			return nil, false
		}
		m[key] = text
	}
	return m, true
}

// sameInstrument reports whether two lines describe the same.
func sameInstrument(a, b *quote.Instrument) bool {
	x, y := *a, *b
	if (x.Session == nil) != (y.Session == nil) || x.Session != nil && !sameSession(x.Session, y.Session) {
		return false
	}
	x.Session, y.Session = nil, nil
	return x == y
}

func sameSession(a, b *quote.Session) bool {
	return a.Zone.String() == b.Zone.String() && a.Open == b.Open && a.Close == b.Close
}

package auth

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
)

// keyFiles are the keys of files, which are read again when one of them changes.
type keyFiles struct {
	files []keyFile
	keys  atomic.Pointer[keyVersion]
}

type keyFile struct {
	*watchedFile
	secret bool // of HMAC; else public keys
}

// keyVersion is one version of several keys. It is immutable.
type keyVersion struct {
	keySet
	number uint32
}

// newKeyFiles reads the files. The error begins with the name of the setting.
func newKeyFiles(public []string, secret string) (*keyFiles, error) {
	f := &keyFiles{}
	f.keys.Store(&keyVersion{})
	for _, name := range public {
		f.files = append(f.files, keyFile{&watchedFile{name: name}, false})
	}
	if secret != "" {
		f.files = append(f.files, keyFile{&watchedFile{name: secret}, true})
	}
	return f, f.load()
}

func (f *keyFiles) changed() bool {
	return slices.ContainsFunc(f.files, func(one keyFile) bool { return one.changed() })
}

// load reads all files. With an error the earlier keys stay in use.
func (f *keyFiles) load() error {
	var all keySet
	var failed error
	for _, one := range f.files { // all, so that each is known in its present state
		keys, err := one.load()
		if err != nil && failed == nil {
			failed = err
		}
		all = append(all, keys...)
	}
	if failed == nil && len(all) > maxTried {
		failed = fmt.Errorf("keys: %d; want at most %d", len(all), maxTried)
	}
	if failed == nil {
		f.keys.Store(&keyVersion{all, f.keys.Load().number + 1})
	}
	return failed
}

func (f keyFile) load() ([]key, error) {
	text, err := f.read()
	if f.secret {
		var secret []byte
		if err == nil {
			secret, err = checkSecret(f.name, text, minSecret)
		}
		if err != nil {
			return nil, fmt.Errorf("secret_file: %w", err)
		}
		return []key{{methods: hmacMethods, key: secret, fingerprint: fingerprintOf(secret)}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	keys, err := parsePEM(text)
	if err != nil {
		return nil, fmt.Errorf("keys: %s: %w", filepath.Base(f.name), err)
	}
	return keys, nil
}

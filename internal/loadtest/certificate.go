package loadtest

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"runtime"
)

// explainCertificate returns an error that says what to do about a certificate that isn't trusted, nil for other errors.
func explainCertificate(err error, u *url.URL) error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		remedy := "if it is your own, name its file: SSL_CERT_FILE=cert.pem ticklane load …"
		if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
			remedy = "if it is your own, add it to the certificates that the system trusts"
		}
		return fmt.Errorf("the certificate of %s is not trusted: %w; %s", u, unknown, remedy)
	case errors.As(err, &name):
		return fmt.Errorf("the certificate of %s is for another host: %w; use a name of the certificate in --url", u, name)
	case errors.As(err, &invalid):
		return fmt.Errorf("the certificate of %s is not accepted: %w; renew it", u, invalid)
	}
	return nil
}

// One TLS handshake by Go's own verification (crypto/x509), which trusts the given certificates alone.
//
//	rehearsal_client HOST:PORT PROTOCOL ANCHORS [name=SERVER_NAME] [time=SECONDS_SINCE_1970]
//
// Says on standard output, a line each: received (base64 DER, one certificate a line, of what it accepted alone), and
// one of accepted, refused (the certificates) or failed (anything else), with Go's words.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	config, err := configure(os.Args[2], os.Args[3], os.Args[4:])
	if err != nil {
		say("failed", err.Error())
		return
	}
	connection, err := tls.Dial("tcp", os.Args[1], config)
	if err != nil {
		if isAboutCertificates(err.Error()) {
			say("refused", err.Error())
		} else {
			say("failed", err.Error())
		}
		return
	}
	defer connection.Close()
	for _, certificate := range connection.ConnectionState().PeerCertificates {
		say("received", base64.StdEncoding.EncodeToString(certificate.Raw))
	}
	say("accepted", "")
}

func configure(protocol, file string, options []string) (*tls.Config, error) {
	version := map[string]uint16{"TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}[protocol]
	roots := x509.NewCertPool()
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		anchor, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("a trust anchor cannot be read: %w", err)
		}
		roots.AddCert(anchor)
	}
	config := &tls.Config{RootCAs: roots, MinVersion: version, MaxVersion: version}
	for _, option := range options {
		key, value, _ := strings.Cut(option, "=")
		switch key {
		case "name":
			config.ServerName = value
		case "time":
			seconds, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return nil, err
			}
			config.Time = func() time.Time { return time.Unix(seconds, 0) }
		}
	}
	if config.ServerName == "" {
		// Go verifies no server without a name. This is its own verification but for that, as crypto/tls documents it
		// (example of Config.VerifyConnection).
		config.InsecureSkipVerify = true
		config.VerifyConnection = func(state tls.ConnectionState) error {
			options := x509.VerifyOptions{Roots: config.RootCAs, Intermediates: x509.NewCertPool()}
			if config.Time != nil {
				options.CurrentTime = config.Time()
			}
			for _, certificate := range state.PeerCertificates[1:] {
				options.Intermediates.AddCert(certificate)
			}
			_, err := state.PeerCertificates[0].Verify(options)
			return err
		}
	}
	return config, nil
}

// What crypto/x509 says, or crypto/tls of the server's certificates or of their size, of which no other message of a
// server comes near; not an alert that the server sent.
func isAboutCertificates(words string) bool {
	if strings.HasPrefix(words, "x509: ") {
		return true
	}
	return strings.HasPrefix(words, "tls: ") &&
		(strings.Contains(words, "certificate") || strings.Contains(words, "exceeds maximum"))
}

func say(what, text string) {
	fmt.Println(strings.TrimSpace(what + " " + strings.Join(strings.Fields(text), " ")))
}

// Verifies certification paths with Go's crypto/x509.
//
// A job is a line of standard input: a folder with root.pem, ca.pem and leaf.pem. Its result is a line of standard
// output: "yes", "no" with the reason, or "unreadable" with the certificate that Go does not parse.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	jobs := bufio.NewScanner(os.Stdin)
	for jobs.Scan() {
		fmt.Println(verify(jobs.Text()))
	}
}

func verify(folder string) string {
	pools := map[string]*x509.CertPool{}
	var leaf *x509.Certificate
	for _, name := range []string{"root", "ca", "leaf"} {
		text, err := os.ReadFile(filepath.Join(folder, name+".pem"))
		if err != nil {
			panic(err)
		}
		block, _ := pem.Decode(text)
		leaf, err = x509.ParseCertificate(block.Bytes)
		if err != nil {
			return "unreadable " + name
		}
		pools[name] = x509.NewCertPool()
		pools[name].AddCert(leaf)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: pools["root"], Intermediates: pools["ca"]})
	if err != nil {
		return "no"
	}
	return "yes"
}

// Opens and writes PKCS#12 files with golang.org/x/crypto/pkcs12 and software.sslmate.com/src/go-pkcs12.
//
// A job is a line of standard input, fields parted by tabs: action, engine, number, file, password file ("-" for no
// password), and for "write" key file and chain file. Its result is a line of standard output: number, "yes" with the
// key and its chain in Base64, or "no" with the reason.
package main

import (
	"bufio"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	xcrypto "golang.org/x/crypto/pkcs12"
	sslmate "software.sslmate.com/src/go-pkcs12"
)

func main() {
	jobs := bufio.NewScanner(os.Stdin)
	for jobs.Scan() {
		job := strings.Split(jobs.Text(), "\t")
		found, err := run(job)
		if err != nil {
			fmt.Printf("%s\tno\t%s\n", job[2], strings.ReplaceAll(err.Error(), "\n", " "))
			continue
		}
		fmt.Printf("%s\tyes", job[2])
		for _, der := range found {
			fmt.Printf("\t%s", base64.StdEncoding.EncodeToString(der))
		}
		fmt.Println()
	}
}

func run(job []string) ([][]byte, error) {
	password := ""
	if job[4] != "-" {
		text, err := os.ReadFile(job[4])
		if err != nil {
			return nil, err
		}
		password = string(text)
	}
	if job[0] == "write" {
		return nil, write(job, password)
	}
	data, err := os.ReadFile(job[3])
	if err != nil {
		return nil, err
	}
	if job[1] == "go-crypto" {
		return readByXCrypto(data, password)
	}
	return readBySSLMate(data, password)
}

// readByXCrypto uses ToPEM: Decode takes files with one certificate only.
func readByXCrypto(data []byte, password string) ([][]byte, error) {
	blocks, err := xcrypto.ToPEM(data, password)
	if err != nil {
		return nil, err
	}
	var keys, certificates [][]byte
	for _, block := range blocks {
		if block.Type == "CERTIFICATE" {
			certificates = append(certificates, block.Bytes)
			continue
		}
		var key interface{}
		if key, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			if key, err = x509.ParseECPrivateKey(block.Bytes); err != nil {
				return nil, err
			}
		}
		der, err := useKey(key)
		if err != nil {
			return nil, err
		}
		keys = append(keys, der)
	}
	return append(keys, certificates...), nil
}

func readBySSLMate(data []byte, password string) ([][]byte, error) {
	key, certificate, issuers, err := sslmate.DecodeChain(data, password)
	if err != nil {
		return nil, err
	}
	der, err := useKey(key)
	if err != nil {
		return nil, err
	}
	found := [][]byte{der, certificate.Raw}
	for _, issuer := range issuers {
		found = append(found, issuer.Raw)
	}
	return found, nil
}

// useKey signs with a key, as a server does with the key of its file, and encodes it.
func useKey(key interface{}) ([]byte, error) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%T does not sign", key)
	}
	digest := sha256.Sum256(nil)
	options := crypto.SignerOpts(crypto.SHA256)
	if _, ok := key.(ed25519.PrivateKey); ok {
		options = crypto.Hash(0)
	}
	if _, err := signer.Sign(rand.Reader, digest[:], options); err != nil {
		return nil, err
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

func write(job []string, password string) error {
	key, err := os.ReadFile(job[5])
	if err != nil {
		return err
	}
	block, _ := pem.Decode(key)
	if block == nil {
		return errors.New("no PEM in the key's file")
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return err
	}
	rest, err := os.ReadFile(job[6])
	if err != nil {
		return err
	}
	var chain []*x509.Certificate
	for block, rest = pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return err
		}
		chain = append(chain, certificate)
	}
	data, err := sslmate.Encode(rand.Reader, private, chain[0], chain[1:], password)
	if err != nil {
		return err
	}
	return os.WriteFile(job[3], data, 0o600)
}

package seal

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// weakness says why bytes are no key, "" if nothing speaks against it. Of the
// random ones each rule refuses fewer than one in 10^9. It cannot prove that a key
// is random: it refuses what people take for one.
func weakness(b []byte) string {
	if len(b) != keyBytes {
		return fmt.Sprintf("%d bytes, expected %d random ones", len(b), keyBytes)
	}
	var seen [256]bool
	distinct, printable, step, run := 0, 0, byte(0), 1
	for i, c := range b {
		if !seen[c] {
			seen[c] = true
			distinct++
		}
		if c >= ' ' && c <= '~' || c >= '\t' && c <= '\r' {
			printable++
		}
		if i > 0 {
			if d := c - b[i-1]; run > 1 && d == step {
				run++
			} else {
				step, run = d, 2
			}
		}
		if run >= 7 {
			return "bytes in sequence: a placeholder, expected random ones"
		}
	}
	switch {
	case distinct < 16:
		return "few different bytes: a placeholder, expected random ones"
	case printable >= 29:
		return "text: a password or an encoded key, expected 32 random bytes"
	case string(b[:keyBytes/2]) == string(b[keyBytes/2:]):
		return "the same 16 bytes twice, expected 32 random ones"
	case published(b):
		return "published as an example, so everybody knows it; expected random bytes"
	}
	return ""
}

// published knows keys that stand in documentation, standards and test suites, and
// the hashes of popular passwords.
func published(b []byte) bool {
	text := hex.EncodeToString(b)
	if strings.Contains(examples, text) {
		return true
	}
	for word := range strings.FieldsSeq(passwords) {
		if sum := sha256.Sum256([]byte(word)); string(sum[:]) == string(b) {
			return true
		}
	}
	return text == emptyHash
}

const (
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

	// From the documentation of Flask, TiDB and Laravel applications, NIST SP
	// 800-38A §F, the GCM specification, NaCl, RFC 7748 §6.1 and RFC 8032 §7.1.
	examples = `
192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf
3b5896b5be691006e0f71c3040a29495ddcad20b14aff61806940ebd780d3c62
1ea494f673b2a3d9990d32a23a999efc36af38c9c876f969c4a54791be69f872
828ee472cd54c343d0fe79ae129b89ef0181ceb178bc174ff909c1aed6107660
603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4
feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308
1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389
77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a
9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60`
	passwords = `
password Password password1 passw0rd secret Secret SECRET secretkey secret_key secret-key mysecret
my-secret my_secret my-secret-key my_secret_key supersecret super-secret super_secret super-secret-key
changeme change-me change_me changeit ChangeMe CHANGEME default example test testing test-key testkey
key mykey my-key encryption encryption-key encryptionkey session session-secret session_secret sojourn
admin administrator root user letmein qwerty welcome hello helloworld foobar foo bar demo dev
development staging production keyboardcat 123456 1234567890 0123456789abcdef todo`
)

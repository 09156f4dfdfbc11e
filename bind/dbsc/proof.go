package dbsc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// algorithms are those that the draft names. Software keys are ES256 only.
var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.RS256}

// A proof is a signed answer to a challenge: a JWS in compact form with typ
// dbsc+jwt, whose claim jti is the challenge. At registration it also brings its
// key; later it must not.
type proof struct {
	challenge string
	key       crypto.PublicKey
}

// readProof verifies a proof: with its own key if registered is nil. Errors are
// errProof, and say nothing of the input.
func readProof(s string, registered crypto.PublicKey) (*proof, error) {
	jws, err := jose.ParseSignedCompact(s, algorithms)
	if err != nil {
		return nil, fmt.Errorf("%w: expected a JWS in compact form, ES256 or RS256", errProof)
	}
	h := jws.Signatures[0].Protected
	if h.ExtraHeaders[jose.HeaderType] != "dbsc+jwt" {
		return nil, fmt.Errorf("%w: expected typ dbsc+jwt", errProof)
	}
	key := registered
	switch {
	case registered == nil && (h.JSONWebKey == nil || !h.JSONWebKey.Valid() || !h.JSONWebKey.IsPublic()):
		return nil, fmt.Errorf("%w: expected a public key, jwk, at registration", errProof)
	case registered == nil:
		key = h.JSONWebKey.Key
	case h.JSONWebKey != nil:
		return nil, fmt.Errorf("%w: expected no key, jwk, after registration", errProof)
	}
	if err := checkKey(key); err != nil {
		return nil, err
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return nil, fmt.Errorf("%w: the signature is not of the session's key", errProof)
	}
	var claims struct {
		Challenge string `json:"jti"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Challenge == "" {
		return nil, fmt.Errorf("%w: expected the challenge as jti", errProof)
	}
	return &proof{claims.Challenge, key}, nil
}

// checkKey keeps weak and costly keys out.
func checkKey(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return nil
		}
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n >= 2048 && n <= 4096 && k.E >= 3 && k.E < 1<<31 {
			return nil
		}
	}
	return fmt.Errorf("%w: expected a key on P-256, or RSA of 2048 to 4096 bits", errProof)
}

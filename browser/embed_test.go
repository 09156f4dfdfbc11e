package browser

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

func TestSDKIsTheModule(t *testing.T) {
	if !bytes.HasPrefix(SDK(), []byte("/*! @sojourn/browser ")) {
		t.Errorf("SDK begins with %.40q, expected the licence line", SDK())
	}
	if !bytes.Contains(SDK(), []byte(" as createSession")) {
		t.Error("SDK does not export createSession")
	}
}

func TestHashNamesTheContent(t *testing.T) {
	sum := sha256.Sum256(SDK())
	if h := Hash(); len(h) != 24 || !strings.HasPrefix(hex.EncodeToString(sum[:]), h) {
		t.Errorf("Hash is %q, expected the first 24 digits of %x", h, sum)
	}
}

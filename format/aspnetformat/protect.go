package aspnetformat

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
)

// The default encryptor of ASP.NET Core's Data Protection: AES-256-CBC with
// HMAC-SHA-256, each message under keys of its own, derived by SP 800-108 in
// counter mode with HMAC-SHA-512.
const (
	modifierSize = 16
	ivSize       = aes.BlockSize
	macSize      = sha256.Size
	keySize      = 32
)

// derive is SP 800-108 §5.1, in counter mode with a counter of 32 bits.
func derive(key, label, context []byte, size int) []byte {
	var out []byte
	for i := uint32(1); len(out) < size; i++ {
		mac := hmac.New(sha512.New, key)
		mac.Write(binary.BigEndian.AppendUint32(nil, i))
		mac.Write(label)
		mac.Write([]byte{0})
		mac.Write(context)
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(size*8)))
		out = mac.Sum(out)
	}
	return out[:size]
}

// contextHeader tells the algorithms apart: their sizes, and what they make of
// nothing under the key that is derived from nothing.
var contextHeader = func() []byte {
	h := binary.BigEndian.AppendUint16(nil, 0) // CBC with HMAC
	for _, size := range []uint32{keySize, aes.BlockSize, macSize, macSize} {
		h = binary.BigEndian.AppendUint32(h, size)
	}
	keys := derive(nil, nil, nil, keySize+macSize)
	h = append(h, encryptCBC(keys[:keySize], make([]byte, ivSize), nil)...)
	return hmac.New(sha256.New, keys[keySize:]).Sum(h)
}()

func encryptCBC(key, iv, text []byte) []byte {
	pad := aes.BlockSize - len(text)%aes.BlockSize
	text = append(bytes.Clone(text), bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key has another size than keySize
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)
	return text
}

// messageKeys are those of one message. aad says what it is for.
func messageKeys(master, aad, modifier []byte) (encrypt, sign []byte) {
	keys := derive(master, aad, append(bytes.Clone(contextHeader), modifier...), keySize+macSize)
	return keys[:keySize], keys[keySize:]
}

// encrypt is the message: modifier, IV, ciphertext, MAC. random has 32 bytes.
func encrypt(master, aad, text, random []byte) []byte {
	modifier, iv := random[:modifierSize], random[modifierSize:modifierSize+ivSize]
	key, sign := messageKeys(master, aad, modifier)
	sealed := append(bytes.Clone(iv), encryptCBC(key, iv, text)...)
	mac := hmac.New(sha256.New, sign)
	mac.Write(sealed)
	return mac.Sum(append(bytes.Clone(modifier), sealed...))
}

var errSealed = errors.New("the key does not fit")

func decrypt(master, aad, message []byte) ([]byte, error) {
	size := len(message) - modifierSize - ivSize - macSize
	if size < aes.BlockSize || size%aes.BlockSize != 0 {
		return nil, errSealed
	}
	modifier, sealed, sum := message[:modifierSize], message[modifierSize:len(message)-macSize], message[len(message)-macSize:]
	key, sign := messageKeys(master, aad, modifier)
	mac := hmac.New(sha256.New, sign)
	mac.Write(sealed)
	if !hmac.Equal(mac.Sum(nil), sum) {
		return nil, errSealed
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	text := make([]byte, size)
	cipher.NewCBCDecrypter(block, sealed[:ivSize]).CryptBlocks(text, sealed[ivSize:])
	pad := int(text[size-1])
	if pad < 1 || pad > aes.BlockSize || !bytes.Equal(text[size-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, errSealed
	}
	return text[:size-pad], nil
}

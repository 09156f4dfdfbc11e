package aspnetformat

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
)

// A Key is one of Data Protection's key ring. Whoever has it can also open and
// make everything else that the application protects with it, such as its login
// cookies.
type Key struct {
	ID                           string // a GUID
	Created, Activated, Expiring time.Time
	master                       []byte
}

// xmlKey is what PersistKeysToFileSystem writes to key-{guid}.xml.
type xmlKey struct {
	XMLName    xml.Name `xml:"key"`
	ID         string   `xml:"id,attr"`
	Version    string   `xml:"version,attr"`
	Creation   string   `xml:"creationDate"`
	Activation string   `xml:"activationDate"`
	Expiration string   `xml:"expirationDate"`
	Descriptor struct {
		Inner struct {
			Encryption struct {
				Algorithm string `xml:"algorithm,attr"`
			} `xml:"encryption"`
			Validation struct {
				Algorithm string `xml:"algorithm,attr"`
			} `xml:"validation"`
			Master struct {
				Value string `xml:"value"`
			} `xml:"masterKey"`
			Wrapped *struct{} `xml:"encryptedSecret"`
		} `xml:"descriptor"`
		Wrapped *struct{} `xml:"encryptedSecret"`
	} `xml:"descriptor"`
}

// ParseKey reads the XML of a key, as in a file key-{guid}.xml. The error is
// sojourn.ErrUnsupported for one that is wrapped (by DPAPI, a certificate or a key
// vault) or of other algorithms than the default.
func ParseKey(text []byte) (Key, error) {
	var x xmlKey
	if len(text) > 64<<10 {
		return Key{}, fmt.Errorf("aspnetformat: key: %w: longer than 64 KiB", sojourn.ErrInvalid)
	}
	if err := xml.Unmarshal(text, &x); err != nil {
		return Key{}, fmt.Errorf("aspnetformat: key: %w: expected the XML of a key of Data Protection", sojourn.ErrInvalid)
	}
	k := Key{ID: strings.ToLower(x.ID)}
	d := x.Descriptor.Inner
	if _, err := guidBytes(k.ID); err != nil || x.Version != "1" {
		return k, fmt.Errorf("aspnetformat: key: %w: expected version 1 and a GUID", sojourn.ErrInvalid)
	}
	if d.Wrapped != nil || x.Descriptor.Wrapped != nil {
		return k, fmt.Errorf("aspnetformat: key %s: %w: it is encrypted; share a ring without ProtectKeysWith…", k.ID, sojourn.ErrUnsupported)
	}
	if d.Encryption.Algorithm != "AES_256_CBC" || d.Validation.Algorithm != "HMACSHA256" {
		return k, fmt.Errorf("aspnetformat: key %s: %w: algorithms %q and %q, expected AES_256_CBC and HMACSHA256, the default", k.ID, sojourn.ErrUnsupported, d.Encryption.Algorithm, d.Validation.Algorithm)
	}
	var err error
	if k.master, err = base64.StdEncoding.DecodeString(strings.TrimSpace(d.Master.Value)); err != nil || len(k.master) < 32 {
		return k, fmt.Errorf("aspnetformat: key %s: %w: expected a master key in base64", k.ID, sojourn.ErrInvalid)
	}
	for to, from := range map[*time.Time]string{&k.Created: x.Creation, &k.Activated: x.Activation, &k.Expiring: x.Expiration} {
		if *to, err = time.Parse(time.RFC3339Nano, from); err != nil {
			return k, fmt.Errorf("aspnetformat: key %s: %w: expected dates", k.ID, sojourn.ErrInvalid)
		}
	}
	return k, nil
}

// guidBytes is a GUID as .NET lays it out: the first three groups little-endian.
func guidBytes(s string) ([]byte, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(s) != 36 || len(b) != 16 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return nil, fmt.Errorf("%w: expected a GUID, as in 80732141-ec8f-4b80-af9c-c4d2d1ff8901", sojourn.ErrInvalid)
	}
	binary.LittleEndian.PutUint32(b, binary.BigEndian.Uint32(b))
	binary.LittleEndian.PutUint16(b[4:], binary.BigEndian.Uint16(b[4:]))
	binary.LittleEndian.PutUint16(b[6:], binary.BigEndian.Uint16(b[6:]))
	return b, nil
}

// magic begins everything that is protected.
var magic = []byte{0x09, 0xf0, 0xc9, 0xf0}

// header is what stands before a message, and what it is for: the additional
// authenticated data.
func header(id string, purposes []string) (head, aad []byte) {
	guid, err := guidBytes(id)
	if err != nil {
		panic(err) // checked when the key was given
	}
	head = append(append(head, magic...), guid...)
	aad = binary.BigEndian.AppendUint32(append(aad, head...), uint32(len(purposes)))
	for _, p := range purposes {
		aad = append(binary.AppendUvarint(aad, uint64(len(p))), p...) // 7 bits a byte, as BinaryWriter
	}
	return head, aad
}

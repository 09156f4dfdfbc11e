package formattest

import (
	"bytes"
	"errors"
	"net/http"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// Fuzz gives a format any bytes for a record and any text for its cookies: it must
// not panic, nor take memory beyond a multiple of what it is given, and what it reads
// it must be able to change and to read again.
func Fuzz(f *testing.F, fm format.Format, records ...string) {
	cookie := fm.Describe().Cookie
	for _, record := range records {
		f.Add([]byte(record), "value")
	}
	f.Fuzz(func(t *testing.T, record []byte, value string) {
		fm.ReadCookies(&http.Request{Header: http.Header{"Cookie": {cookie + "=" + value + "; " + cookie + ".sig=" + value}}}, at)
		var doc *format.Document
		var err error
		if got, most := testenv.Allocated(func() { doc, err = fm.Decode(record) }), 128*len(record)+128<<10; got > most {
			t.Fatalf("reading %d bytes allocates %d, expected at most %d", len(record), got, most)
		}
		if err != nil {
			if !errors.Is(err, sojourn.ErrCorrupt) {
				t.Fatalf("%v", err)
			}
			return
		}
		in := bytes.Clone(record)
		out, err := fm.Encode(record, &format.Edit{Set: []format.Member{{Key: "added", Value: []byte(`[1,"a"]`)}}, Now: at, Expires: at.Add(1)})
		if !bytes.Equal(in, record) {
			t.Fatalf("the input %q became %q", in, record)
		}
		if err != nil {
			if !errors.Is(err, sojourn.ErrUnsupported) && !errors.Is(err, sojourn.ErrTooLarge) {
				t.Fatalf("%q: %v", record, err)
			}
			return
		}
		again, err := fm.Decode(out)
		if err != nil {
			t.Fatalf("%q became %q: %v", record, out, err)
		}
		rest := again.Members[:0:0]
		had := doc.Members[:0:0]
		for _, m := range doc.Members {
			if m.Key != "added" {
				had = append(had, m)
			}
		}
		for _, m := range again.Members {
			if m.Key != "added" {
				rest = append(rest, m)
			}
		}
		if values(had) != values(rest) || again.Owner != doc.Owner {
			t.Fatalf("%q became %q", record, out)
		}
	})
}

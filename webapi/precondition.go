package webapi

import (
	"net/http"
	"strconv"
	"strings"
)

// ifMatch is the precondition of a write (RFC 9110 §13.1.1).
type ifMatch struct {
	revision *uint64 // nil: whatever is stored ("*")
	never    bool    // a tag that we never issued: matches nothing
}

// readIfMatch wants exactly one entity tag or a star. Two tabs of one session
// are the normal case, so a write without either is refused.
func readIfMatch(r *http.Request) (ifMatch, error) {
	value := strings.TrimSpace(strings.Join(r.Header.Values("If-Match"), ","))
	switch {
	case value == "":
		return ifMatch{}, problemf(codePreconditionRequired, `Send If-Match with the ETag of the data the change is based on, or "*" for whatever is stored.`)
	case value == "*":
		return ifMatch{}, nil
	}
	tag, weak := strings.CutPrefix(value, "W/")
	if len(tag) < 2 || tag[0] != '"' || strings.IndexByte(tag[1:], '"') != len(tag)-2 {
		return ifMatch{}, problemf(codeInvalidRequest, `If-Match must be one entity tag in quotes, or "*".`)
	}
	tag = tag[1 : len(tag)-1]
	revision, err := strconv.ParseUint(tag, 10, 64)
	if weak || err != nil || strconv.FormatUint(revision, 10) != tag {
		return ifMatch{never: true}, nil
	}
	return ifMatch{revision: &revision}, nil
}

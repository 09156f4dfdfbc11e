package dbsc

import (
	"net/http"
	"strconv"
	"time"

	"github.com/sojournhq/sojourn"
)

// The short-lived cookie is the moment it ends, signed with the secret of the
// binding for this session: to verify it takes the session's record, which a
// request that uses its session has loaded anyway, and to issue it stores
// nothing. So all that were issued are good until their own end.

// attributes are the same in the cookie and in the configuration, or browsers
// would wait for another cookie than the one they get.
func attributes(rules *sojourn.Options) string {
	a := "Path=/; Secure; HttpOnly; SameSite="
	switch rules.Cookie.SameSite {
	case http.SameSiteStrictMode:
		return a + "Strict"
	case http.SameSiteNoneMode:
		return a + "None"
	}
	return a + "Lax"
}

func (b *Binder) setCookie(h http.Header, id sojourn.ID, k *binding, now time.Time) {
	value := stamp(k.secret[:], forCookie, now.Add(b.opt.Lifetime), []byte(id), k.id[:])
	h.Add("Set-Cookie", b.opt.Cookie+"="+value+"; Max-Age="+strconv.FormatInt(int64(b.opt.Lifetime/time.Second), 10)+"; "+b.attributes)
}

// holds tells why the request's short-lived cookies prove nothing, "" if one does.
func (b *Binder) holds(r *http.Request, id sojourn.ID, k *binding, now time.Time) (why string) {
	why = "without its cookie"
	for _, c := range r.CookiesNamed(b.opt.Cookie) {
		ends, ok := openStamp(k.secret[:], forCookie, c.Value, []byte(id), k.id[:])
		switch {
		case ok && now.Before(ends.Add(b.opt.Overlap)):
			return ""
		case ok:
			why = "with an expired cookie"
		default:
			why = "with the cookie of another binding"
		}
	}
	return why
}

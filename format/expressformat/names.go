package expressformat

import (
	"fmt"
	"net/http"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/rawjson"
)

// reserved are the names that Session.prototype and Object.prototype have:
// express-session drops such members when it reads a record, and saves it without.
var reserved = func() map[string]bool {
	names := map[string]bool{}
	for _, name := range []string{
		cookieMember, "id", "req", "touch", "resetMaxAge", "save", "reload", "destroy", "regenerate",
		"constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf",
		"__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__",
	} {
		names[name] = true
	}
	return names
}()

var sameSite = map[http.SameSite]string{http.SameSiteLaxMode: "lax", http.SameSiteStrictMode: "strict", http.SameSiteNoneMode: "none"}

func checkKey(key string) error {
	if reserved[key] {
		return fmt.Errorf("%w: member %q: express-session has something of its own under that name and would drop it", sojourn.ErrUnsupported, key)
	}
	return nil
}

func (e *express) Check(key string, value []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if _, ok := rawjson.Survives(value); !ok {
		return fmt.Errorf("%w: member %q holds a number that JavaScript cannot hold exactly; store it as a string", sojourn.ErrUnsupported, key)
	}
	return nil
}

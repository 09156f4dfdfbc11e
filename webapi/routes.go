package webapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// A handler answers one method of one route. arg is the variable part of the
// path, decoded. An error means that nothing has been written yet.
type handler func(w http.ResponseWriter, r *http.Request, arg string) error

// route returns the methods of a path below the prefix, nil if there is none.
func (a *API) route(path string) (methods map[string]handler, arg string) {
	head, rest, nested := strings.Cut(path, "/")
	if !nested {
		switch head {
		case "":
			return map[string]handler{http.MethodDelete: a.end}, ""
		case "status":
			return map[string]handler{http.MethodGet: a.status}, ""
		case "extend":
			return map[string]handler{http.MethodPost: a.extend}, ""
		case "data":
			return map[string]handler{http.MethodGet: a.readAll, http.MethodPatch: a.patch}, ""
		case "devices":
			if a.opt.AllowDevices {
				return map[string]handler{http.MethodGet: a.devices}, ""
			}
		case "ws", "events", "poll", "send":
			if a.opt.Live != nil {
				return a.liveRoute(head), ""
			}
		}
	}
	if _, ok := a.scripts[path]; ok {
		return map[string]handler{http.MethodGet: a.serveScript}, path
	}
	if !nested {
		return nil, ""
	}
	arg, err := url.PathUnescape(rest)
	if err != nil || rest == "" || strings.Contains(rest, "/") || !utf8.ValidString(arg) {
		return nil, ""
	}
	switch {
	case head == "data":
		return map[string]handler{http.MethodGet: a.readOne, http.MethodPut: a.put, http.MethodDelete: a.remove}, arg
	case head == "devices" && a.opt.AllowDevices:
		return map[string]handler{http.MethodDelete: a.revokeDevice, http.MethodPatch: a.labelDevice}, arg
	}
	return nil, ""
}

// dispatch finds the handler of a request. The path is taken as it was sent, so
// that the name of a member may hold an encoded slash.
func (a *API) dispatch(w http.ResponseWriter, r *http.Request) error {
	path := r.URL.EscapedPath()
	sub, below := strings.CutPrefix(path+"/", a.opt.Prefix)
	if sub = strings.TrimSuffix(sub, "/"); !below {
		return problemf(codeNotFound, "This is outside of %s.", a.opt.Prefix)
	}
	methods, arg := a.route(sub)
	if methods == nil {
		return problemf(codeNotFound, "There is no such resource; a member's name in a path must be percent-encoded UTF-8.")
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet // net/http drops the body
	}
	if h, ok := methods[method]; ok {
		if method != http.MethodGet && r.Header.Get(headerCSRF) == "" {
			return problemf(codeCSRFHeaderMissing, "Send %s: 1 with %s requests.", headerCSRF, r.Method)
		}
		return h(w, r, arg)
	}
	w.Header().Set("Allow", allow(methods))
	if method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return problemf(codeMethodNotAllowed, "This resource answers %s.", allow(methods))
}

func allow(methods map[string]handler) string {
	names := []string{http.MethodOptions}
	for m := range methods {
		names = append(names, m)
		if m == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

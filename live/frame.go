package live

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/sojournhq/sojourn"
)

// A code is how a connection was closed. Rule for clients: 1xxx and 40xx
// reconnect, 44xx stop. Server-sent events carry it in a last frame.
type code int

const (
	codeRestart   code = 1012 // drain, backplane lost, or old enough: connect again
	codeOverload  code = 1013 // no room on this server
	codeSlow      code = 4008 // the client did not keep up
	codeNoPong    code = 4009
	codePosition  code = 4010 // events were lost between server and backplane
	codePrincipal code = 4011 // the session lives on, or another one, under a new cookie: ask for the status first
	codeProtocol  code = 4400
	codeExpired   code = 4401
	codeRevoked   code = 4402 // for any reason but the deadlines
	codeNoSession code = 4404
	codeTooMany   code = 4429 // too many connections of this session
)

// endCode is the close code for the end of a session.
func endCode(reason sojourn.Reason) code {
	switch reason {
	case sojourn.ReasonMoved, sojourn.ReasonReplaced:
		return codePrincipal
	case sojourn.ReasonExpired:
		return codeExpired
	case "":
		return codeNoSession
	}
	return codeRevoked
}

// A frame is one message to a page. All transports send the same body.
type frame struct {
	id   string // of a logged event, else ""
	typ  string
	body []byte
}

// control makes a frame that is not logged. data holds nothing that could fail
// to encode.
func control(typ string, data any) frame {
	body, err := json.Marshal(struct {
		Type string `json:"type"`
		Data any    `json:"data,omitempty"`
	}{typ, data})
	if err != nil {
		body = []byte(`{"type":"error","data":{"code":"internal"}}`)
	}
	return frame{typ: typ, body: body}
}

// answer makes the answer to a client's frame with a cid.
func answer(typ, cid string, data any) frame {
	body, err := json.Marshal(struct {
		Type string `json:"type"`
		CID  string `json:"cid,omitempty"`
		Data any    `json:"data,omitempty"`
	}{typ, cid, data})
	if err != nil {
		return answer("error", cid, errorBody{"internal"})
	}
	return frame{typ: typ, body: body}
}

type errorBody struct {
	Code string `json:"code"`
}

var pingFrame = control("ping", nil)

type pingBody struct {
	Spread int64 `json:"spread_ms"`
}

// ping makes the sign of life. It says over how long pages are to spread their
// coming back, should this server die: others take but so many in a second.
func ping(spread time.Duration) frame {
	if spread <= minSpread {
		return pingFrame
	}
	return control("ping", pingBody{spread.Milliseconds()})
}

// hello is what a connection begins with.
type hello struct {
	Recovered bool            `json:"recovered"`
	Cursor    string          `json:"cursor"` // where what follows goes on from
	Status    json.RawMessage `json:"status"`
	Ping      int64           `json:"ping_ms"`
	MaxAge    int64           `json:"max_age_ms"`
	Spread    int64           `json:"spread_ms"`
}

// A clientFrame is what a page sends over a WebSocket.
type clientFrame struct {
	typ  string
	cid  string
	ago  time.Duration // activity
	data json.RawMessage
}

const maxCID = 64

// decodeFrame reads a frame of a client: one JSON object with a type. Fields it
// does not know are ignored, as in the other direction.
func decodeFrame(b []byte) (f clientFrame, ok bool) {
	if !utf8.Valid(b) {
		return f, false
	}
	var in map[string]json.RawMessage // exact names, other than structs have them
	if json.Unmarshal(b, &in) != nil || in == nil {
		return f, false
	}
	if !text(in, "type", &f.typ, 64) || f.typ == "" || !text(in, "cid", &f.cid, maxCID) {
		return f, false
	}
	f.data = in["data"]
	if f.typ == "activity" {
		var d struct {
			Ago float64 `json:"active_ms_ago"`
		}
		if f.data != nil && json.Unmarshal(f.data, &d) != nil || d.Ago < 0 {
			return f, false
		}
		f.ago = time.Duration(min(d.Ago, 1e9)) * time.Millisecond
	}
	return f, true
}

// text reads an optional string of bounded length.
func text(in map[string]json.RawMessage, name string, v *string, limit int) bool {
	raw, ok := in[name]
	return !ok || raw[0] == '"' && json.Unmarshal(raw, v) == nil && len(*v) <= limit
}

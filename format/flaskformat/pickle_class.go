package flaskformat

import (
	"bytes"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Classes whose objects are read, by module and name. All else is refused: it may
// be anything, and it is not for us to run.
var classes = map[string]bool{
	"datetime datetime": true, "datetime date": true, "datetime timedelta": true, "datetime timezone": true,
	"uuid UUID": true, "decimal Decimal": true, "markupsafe Markup": true,
}

func (u *unpickler) class(op byte) error {
	switch op {
	case opGlobal:
		var names [2]string
		for i := range names {
			end := bytes.IndexByte(u.data[u.pos:min(len(u.data), u.pos+200)], '\n')
			if end < 0 {
				return u.fail("expected a name")
			}
			names[i] = string(u.data[u.pos : u.pos+end])
			u.pos += end + 1
		}
		return u.global(names[0], names[1])
	case opStackGlobal:
		names, err := u.several(2)
		if err != nil {
			return err
		}
		if names[0].kind != kindStr || names[1].kind != kindStr {
			return u.fail("expected names")
		}
		return u.global(names[0].text, names[1].text)
	}
	pair, err := u.several(2)
	if err != nil {
		return err
	}
	if op == opBuild {
		return u.build(pair[0], pair[1])
	}
	class, args := pair[0], pair[1]
	if class.kind != kindGlobal || args.kind != kindTuple {
		return u.fail("expected a class and its arguments")
	}
	v := construct(class.text, args.items)
	if v == nil {
		return unsupported("the pickle makes a %s in a way that is not known here", strings.ReplaceAll(class.text, " ", "."))
	}
	return u.push(v)
}

func (u *unpickler) global(module, name string) error {
	if !classes[module+" "+name] {
		return unsupported("the pickle names %.100q, which is not among the types that are read", module+"."+name)
	}
	return u.push(&value{kind: kindGlobal, text: module + " " + name})
}

// build gives an object its state: only UUIDs have one here.
func (u *unpickler) build(of, state *value) error {
	if of.kind != kindBare || of.text != "uuid UUID" || state.kind != kindDict {
		return unsupported("the pickle gives state to an object that is not known here")
	}
	for i, k := range state.keys {
		if k.kind == kindStr && k.text == "int" && state.items[i].kind == kindInt {
			n, ok := new(big.Int).SetString(state.items[i].text, 10)
			if !ok || n.Sign() < 0 || n.BitLen() > 128 {
				break
			}
			text, _ := uuidText(fmt.Sprintf("%032x", n))
			of.kind, of.text = kindUUID, text
			return u.push(of)
		}
	}
	return u.fail("a UUID without its number")
}

// construct makes a value of a class and arguments, nil if it cannot.
func construct(class string, args []*value) *value {
	texts := len(args) > 0 && args[0].kind == kindStr
	packed := len(args) > 0 && args[0].kind == kindBytes
	switch {
	case class == "uuid UUID" && len(args) == 0:
		return &value{kind: kindBare, text: class}
	case class == "decimal Decimal" && len(args) == 1 && texts:
		return &value{kind: kindDecimal, text: args[0].text}
	case class == "markupsafe Markup" && len(args) == 1 && texts:
		return &value{kind: kindMarkup, text: args[0].text}
	case class == "datetime date" && len(args) == 1 && packed && len(args[0].text) == 4:
		b := args[0].text
		return &value{kind: kindDate, text: fmt.Sprintf("%04d-%02d-%02d", int(b[0])<<8|int(b[1]), b[2], b[3])}
	case class == "datetime datetime" && packed && len(args[0].text) == 10 && len(args) <= 2:
		b := args[0].text
		text := fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d", int(b[0])<<8|int(b[1]), b[2]&0x7f, b[3], b[4], b[5], b[6])
		if micro := int(b[7])<<16 | int(b[8])<<8 | int(b[9]); micro != 0 {
			text += fmt.Sprintf(".%06d", micro)
		}
		if len(args) == 2 {
			if args[1].kind != kindZone {
				return nil
			}
			text += args[1].text
		}
		return &value{kind: kindDatetime, text: text}
	case class == "datetime timedelta" && len(args) == 3:
		var n [3]int64
		for i, arg := range args {
			v, err := strconv.ParseInt(arg.text, 10, 32)
			if err != nil || arg.kind != kindInt {
				return nil
			}
			n[i] = v
		}
		seconds := n[0]*86400 + n[1]
		text := strconv.FormatInt(seconds, 10)
		if n[2] != 0 {
			text = new(big.Rat).SetFrac64(seconds*1e6+n[2], 1e6).FloatString(6)
		}
		return &value{kind: kindTimedelta, text: text}
	case class == "datetime timezone" && len(args) >= 1 && args[0].kind == kindTimedelta:
		seconds, err := strconv.ParseInt(args[0].text, 10, 32)
		if err != nil || seconds <= -86400 || seconds >= 86400 {
			return nil
		}
		sign := "+"
		if seconds < 0 {
			sign, seconds = "-", -seconds
		}
		if seconds == 0 {
			return &value{kind: kindZone, text: "Z"}
		}
		return &value{kind: kindZone, text: fmt.Sprintf("%s%02d:%02d", sign, seconds/3600, seconds/60%60)}
	}
	return nil
}

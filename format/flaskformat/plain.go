package flaskformat

import "strconv"

// appendPlain writes a value for Flask-Session's JSON, which has words for JSON's
// own types only.
func appendPlain(dst []byte, v *value) (_ []byte, err error) {
	open, end := byte('['), byte(']')
	switch v.kind {
	case kindNone:
		return append(dst, "null"...), nil
	case kindBool:
		return strconv.AppendBool(dst, v.bool), nil
	case kindInt:
		return append(dst, v.text...), nil
	case kindStr:
		return appendStr(dst, v.text), nil
	case kindFloat:
		if v.float-v.float == 0 {
			return appendPythonFloat(dst, v.float), nil
		}
		return dst, unsupported("Flask-Session's JSON cannot hold NaN and infinity")
	case kindDict:
		open, end = '{', '}'
	case kindList:
	default:
		return dst, unsupported("Flask-Session's JSON has no type for what %q marks", marks[v.kind])
	}
	dst = append(dst, open)
	for i, item := range v.items {
		if i > 0 {
			dst = append(dst, ',')
		}
		if v.kind == kindDict {
			dst = append(appendStr(dst, v.keys[i].text), ':')
		}
		if dst, err = appendPlain(dst, item); err != nil {
			return dst, err
		}
	}
	return append(dst, end), nil
}

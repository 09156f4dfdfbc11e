package flaskformat

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
)

// emptyPickle is pickle.dumps({}, 4).
var emptyPickle = []byte{opProto, 4, opEmptyDict, opStop}

// splicePickle writes instructions before the end of a pickle whose value is a
// dict. Frames, which only tell how much to read at once, are left out.
func splicePickle(record, added []byte) ([]byte, error) {
	u, err := unpickle(record)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(record)+len(added))
	from := 0
	for _, at := range u.frames {
		out = append(out, record[from:at]...)
		from = at + 9
	}
	out = append(out, record[from:u.pos-1]...)
	return append(append(out, added...), opStop), nil
}

func appendPickleStr(dst []byte, s string) []byte {
	dst = binary.LittleEndian.AppendUint32(append(dst, opBinUnicode), uint32(len(s)))
	return append(dst, s...)
}

// appendPickle writes a value. Classes are never named.
func appendPickle(dst []byte, v *value) (_ []byte, err error) {
	switch v.kind {
	case kindNone:
		return append(dst, opNone), nil
	case kindBool:
		if v.bool {
			return append(dst, opTrue), nil
		}
		return append(dst, opFalse), nil
	case kindInt:
		return appendPickleInt(dst, v.text), nil
	case kindFloat:
		return binary.BigEndian.AppendUint64(append(dst, opBinFloat), math.Float64bits(v.float)), nil
	case kindStr:
		return appendPickleStr(dst, v.text), nil
	case kindBytes:
		dst = binary.LittleEndian.AppendUint32(append(dst, opBinBytes), uint32(len(v.text)))
		return append(dst, v.text...), nil
	case kindList:
		dst = append(dst, opEmptyList, opMark)
	case kindTuple, kindFrozenSet:
		dst = append(dst, opMark)
	case kindSet:
		dst = append(dst, opEmptySet, opMark)
	case kindDict:
		dst = append(dst, opEmptyDict, opMark)
	default:
		return dst, unsupported("what %q marks is kept in a pickle but not written: it would name a class", marks[v.kind])
	}
	for i, item := range v.items {
		if v.kind == kindDict {
			dst = appendPickleStr(dst, v.keys[i].text)
		}
		if dst, err = appendPickle(dst, item); err != nil {
			return dst, err
		}
	}
	return append(dst, map[kind]byte{kindList: opAppends, kindTuple: opTuple, kindFrozenSet: opFrozenSet, kindSet: opAddItems, kindDict: opSetItems}[v.kind]), nil
}

func appendPickleInt(dst []byte, digits string) []byte {
	n, _ := new(big.Int).SetString(digits, 10)
	if n.IsInt64() && n.Int64() >= math.MinInt32 && n.Int64() <= math.MaxInt32 {
		return binary.LittleEndian.AppendUint32(append(dst, opBinInt), uint32(int32(n.Int64())))
	}
	size := n.BitLen()/8 + 1 // room for the sign
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	b := n.FillBytes(make([]byte, size))
	slices.Reverse(b)
	dst = binary.LittleEndian.AppendUint32(append(dst, opLong4), uint32(size))
	return append(dst, b...)
}

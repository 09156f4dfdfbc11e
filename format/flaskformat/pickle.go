package flaskformat

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"unicode/utf8"
)

// The instructions of a pickle that are understood, of protocols 2 to 5. Nothing
// is ever called: a class is a name, and what would call it makes a value of a
// closed list of types or an error.
const (
	opMark        = '('
	opStop        = '.'
	opPop         = '0'
	opPopMark     = '1'
	opDup         = '2'
	opBinFloat    = 'G'
	opBinInt      = 'J'
	opBinInt1     = 'K'
	opBinInt2     = 'M'
	opNone        = 'N'
	opReduce      = 'R'
	opBinUnicode  = 'X'
	opBinBytes    = 'B'
	opShortBytes  = 'C'
	opAppend      = 'a'
	opBuild       = 'b'
	opGlobal      = 'c'
	opEmptyDict   = '}'
	opAppends     = 'e'
	opBinGet      = 'h'
	opLongBinGet  = 'j'
	opEmptyList   = ']'
	opBinPut      = 'q'
	opLongBinPut  = 'r'
	opSetItem     = 's'
	opTuple       = 't'
	opEmptyTuple  = ')'
	opSetItems    = 'u'
	opProto       = 0x80
	opNewObj      = 0x81
	opTuple1      = 0x85
	opTuple2      = 0x86
	opTuple3      = 0x87
	opTrue        = 0x88
	opFalse       = 0x89
	opLong1       = 0x8a
	opLong4       = 0x8b
	opShortUni    = 0x8c
	opBinUni8     = 0x8d
	opBinBytes8   = 0x8e
	opEmptySet    = 0x8f
	opAddItems    = 0x90
	opFrozenSet   = 0x91
	opStackGlobal = 0x93
	opMemoize     = 0x94
	opFrame       = 0x95
)

// Kinds that exist only while a pickle is read.
const (
	kindGlobal kind = 100 + iota // text: "module name"
	kindMark
	kindZone // text: the zone's offset, as in RFC 3339
	kindBare // text: a class, made without arguments
)

// An unpickler is the machine that a pickle programs.
type unpickler struct {
	data   []byte
	pos    int
	stack  []*value
	memo   map[uint32]*value
	frames []int // where FRAME stands
	ended  bool
}

func readPickle(record []byte) (*value, error) {
	u, err := unpickle(record)
	if err != nil {
		return nil, err
	}
	return u.stack[0], nil
}

// unpickle runs a pickle to its end and leaves one value on the stack.
func unpickle(record []byte) (*unpickler, error) {
	u := &unpickler{data: record, memo: map[uint32]*value{}}
	for !u.ended {
		if err := u.step(); err != nil {
			return nil, err
		}
	}
	if len(u.stack) != 1 {
		return nil, u.fail("expected one value at the end")
	}
	return u, nil
}

func (u *unpickler) fail(what string) error { return corrupt("pickle, at byte %d: %s", u.pos, what) }

func (u *unpickler) take(n uint64) ([]byte, error) {
	if n > uint64(len(u.data)-u.pos) {
		return nil, u.fail("it ends too early")
	}
	u.pos += int(n)
	return u.data[u.pos-int(n) : u.pos], nil
}

// number reads a little-endian number of that many bytes.
func (u *unpickler) number(size uint64) (uint64, error) {
	b, err := u.take(size)
	if err != nil {
		return 0, err
	}
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:]), nil
}

func (u *unpickler) sized(size uint64) ([]byte, error) {
	n, err := u.number(size)
	if err != nil {
		return nil, err
	}
	return u.take(n)
}

func (u *unpickler) push(v *value) error {
	u.stack = append(u.stack, v)
	return nil
}

func (u *unpickler) pop() (*value, error) {
	if len(u.stack) == 0 || u.stack[len(u.stack)-1].kind == kindMark {
		return nil, u.fail("there is no value to take")
	}
	v := u.stack[len(u.stack)-1]
	u.stack = u.stack[:len(u.stack)-1]
	return v, nil
}

func (u *unpickler) top() (*value, error) {
	v, err := u.pop()
	if err == nil {
		u.stack = append(u.stack, v)
	}
	return v, err
}

// several takes the last n values.
func (u *unpickler) several(n int) ([]*value, error) {
	from := len(u.stack) - n
	if from < 0 || slices.ContainsFunc(u.stack[from:], func(v *value) bool { return v.kind == kindMark }) {
		return nil, u.fail("there are too few values to take")
	}
	items := slices.Clone(u.stack[from:])
	u.stack = u.stack[:from]
	return items, nil
}

// marked takes the values after the last mark, and the mark.
func (u *unpickler) marked() ([]*value, error) {
	for i := len(u.stack) - 1; i >= 0; i-- {
		if u.stack[i].kind == kindMark {
			items := slices.Clone(u.stack[i+1:])
			u.stack = u.stack[:i]
			return items, nil
		}
	}
	return nil, u.fail("there is no mark")
}

func (u *unpickler) text(b []byte, err error) error {
	if err != nil {
		return err
	}
	s := string(b)
	if !utf8.ValidString(s) {
		for i, r := range s { // of what is no UTF-8, lone surrogates are allowed
			if r == utf8.RuneError && s[i] >= 0x80 && !partOfSurrogate(s, i) && s[i] != 0xef {
				return u.fail("a str that is no UTF-8")
			}
		}
	}
	return u.push(&value{kind: kindStr, text: s})
}

func partOfSurrogate(s string, i int) bool {
	for from := max(0, i-2); from <= i; from++ {
		if surrogate(s[from:]) {
			return true
		}
	}
	return false
}

func (u *unpickler) integer(n int64) error {
	return u.push(&value{kind: kindInt, text: big.NewInt(n).String()})
}

// long reads an integer of any length: little-endian, two's complement.
func (u *unpickler) long(b []byte, err error) error {
	if err != nil {
		return err
	}
	if len(b) > 1700 {
		return u.fail("an integer with more digits than Python reads")
	}
	b = slices.Clone(b)
	slices.Reverse(b)
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return u.push(&value{kind: kindInt, text: n.String()})
}

func (u *unpickler) step() error {
	if u.pos >= len(u.data) {
		return u.fail("it ends without STOP")
	}
	op := u.data[u.pos]
	u.pos++
	switch op {
	case opProto:
		n, err := u.number(1)
		if err == nil && (n < 2 || n > 5) {
			err = u.fail("a protocol other than 2 to 5")
		}
		return err
	case opFrame:
		u.frames = append(u.frames, u.pos-1)
		_, err := u.number(8)
		return err
	case opStop:
		u.ended = true
		return nil
	case opMark:
		return u.push(&value{kind: kindMark})
	case opPop:
		if len(u.stack) > 0 && u.stack[len(u.stack)-1].kind == kindMark {
			u.stack = u.stack[:len(u.stack)-1]
			return nil
		}
		_, err := u.pop()
		return err
	case opPopMark:
		_, err := u.marked()
		return err
	case opDup:
		v, err := u.top()
		if err != nil {
			return err
		}
		return u.push(v)
	case opBinGet, opLongBinGet, opBinPut, opLongBinPut, opMemoize:
		return u.remember(op)
	case opGlobal, opStackGlobal, opReduce, opNewObj, opBuild:
		return u.class(op)
	case opAppend, opAppends, opSetItem, opSetItems, opAddItems:
		return u.fill(op)
	}
	return u.scalar(op)
}

// scalar pushes a value that the instruction holds, or a container.
func (u *unpickler) scalar(op byte) error {
	switch op {
	case opNone:
		return u.push(&value{})
	case opTrue, opFalse:
		return u.push(&value{kind: kindBool, bool: op == opTrue})
	case opBinFloat:
		b, err := u.take(8)
		if err != nil {
			return err
		}
		return u.push(&value{kind: kindFloat, float: math.Float64frombits(binary.BigEndian.Uint64(b))})
	case opBinInt:
		n, err := u.number(4)
		if err != nil {
			return err
		}
		return u.integer(int64(int32(n)))
	case opBinInt1, opBinInt2:
		n, err := u.number(1 + uint64(op-opBinInt1)/2)
		if err != nil {
			return err
		}
		return u.integer(int64(n))
	case opLong1:
		return u.long(u.sized(1))
	case opLong4:
		return u.long(u.sized(4))
	case opShortUni:
		return u.text(u.sized(1))
	case opBinUnicode:
		return u.text(u.sized(4))
	case opBinUni8:
		return u.text(u.sized(8))
	case opShortBytes, opBinBytes, opBinBytes8:
		b, err := u.sized(map[byte]uint64{opShortBytes: 1, opBinBytes: 4, opBinBytes8: 8}[op])
		if err != nil {
			return err
		}
		return u.push(&value{kind: kindBytes, text: string(b)})
	case opEmptyList:
		return u.push(&value{kind: kindList})
	case opEmptyDict:
		return u.push(&value{kind: kindDict})
	case opEmptySet:
		return u.push(&value{kind: kindSet})
	case opEmptyTuple:
		return u.push(&value{kind: kindTuple})
	case opTuple1, opTuple2, opTuple3:
		items, err := u.several(int(op-opTuple1) + 1)
		if err != nil {
			return err
		}
		return u.push(&value{kind: kindTuple, items: items})
	case opTuple, opFrozenSet:
		items, err := u.marked()
		if err != nil {
			return err
		}
		k := kindTuple
		if op == opFrozenSet {
			k = kindFrozenSet
		}
		return u.push(&value{kind: k, items: items})
	}
	return unsupported("the pickle has the instruction %#02x, which is not among those that are read", op)
}

// remember puts values into the memo and takes them out.
func (u *unpickler) remember(op byte) error {
	size := map[byte]uint64{opBinGet: 1, opBinPut: 1, opLongBinGet: 4, opLongBinPut: 4}[op]
	n, err := u.number(size)
	if err != nil {
		return err
	}
	if op == opBinGet || op == opLongBinGet {
		v := u.memo[uint32(n)]
		if v == nil {
			return u.fail("nothing was remembered under that number")
		}
		return u.push(v)
	}
	if op == opMemoize {
		n = uint64(len(u.memo))
	}
	v, err := u.top()
	if err == nil {
		u.memo[uint32(n)] = v
	}
	return err
}

// fill puts values into the container below them.
func (u *unpickler) fill(op byte) error {
	var items []*value
	var err error
	switch op {
	case opAppend:
		items, err = u.several(1)
	case opSetItem:
		items, err = u.several(2)
	default:
		items, err = u.marked()
	}
	if err != nil {
		return err
	}
	into, err := u.top()
	if err != nil {
		return err
	}
	switch {
	case (op == opAppend || op == opAppends) && into.kind == kindList, op == opAddItems && into.kind == kindSet:
		into.items = append(into.items, items...)
	case (op == opSetItem || op == opSetItems) && into.kind == kindDict && len(items)%2 == 0:
		for i := 0; i < len(items); i += 2 {
			into.keys, into.items = append(into.keys, items[i]), append(into.items, items[i+1])
		}
	default:
		return u.fail("values for a container of another kind")
	}
	return nil
}

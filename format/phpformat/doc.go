// Package phpformat reads and writes the sessions of PHP: the records that its
// handlers php, php_serialize, php_binary and igbinary make.
//
//	doc, err := phpformat.Parse(phpformat.PHP, []byte(`role|s:5:"admin";`))
//	err = doc.Set("cart", json.RawMessage(`[1,2.5]`))
//	record, err := doc.Bytes() // role|s:5:"admin";cart|a:2:{i:0;i:1;i:1;d:2.5;}
//
// Members that are not set keep their bytes: objects, enums, floats and strings
// that are no text survive. (In igbinary strings are numbered over the whole
// record, so there everything is written anew, value for value.)
//
// # PHP values as JSON
//
//	null, bool, string      the same
//	int                     a number without fraction
//	float                   a number with one: 1 is 1.0; {"@float":"NaN"}, "Infinity", "-Infinity"
//	string that is no UTF-8 {"@bytes":"base64"}
//	array with keys 0,1,2…  an array; also the empty one
//	other array             an object; integer keys as text
//	object                  {"@class":"Cart","a":1,"b:protected":2,"c:Cart:private":3}
//	object with C:          {"@class":"Cart","@data":"what it wrote"}
//	enum                    {"@enum":"Suit:Hearts"}
//	reference (R:, r:)      what it means; {"@circle":"class"} within itself
//
// A name that begins with "@" gets one more, one that is no UTF-8 is
// "@bytes:base64". The way back is the same, with three exceptions. Integers
// beyond 64 bits are refused. Objects, but for stdClass, and enums are refused by
// Set: PHP would run code of theirs, or destroy the session if it lacks them.
// {"@circle":…} cannot be written.
//
// # References
//
// PHP numbers the values of the whole session, and R: and r: name these numbers,
// so that replacing one member may turn another's reference into nonsense; PHP
// then destroys the session. Members are appended freely; where one is replaced or
// deleted and the record holds references, they are numbered anew; and that is
// refused where it cannot be known how (beside an object written with C:).
//
// # Sources
//
// PHP 8.2's ext/session and ext/standard/var_unserializer.re, igbinary 3.2's
// igbinary.c; tests run both.
package phpformat

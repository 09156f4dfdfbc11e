# A Flask application's side of the tests. Reads lines of JSON {"do": …} and answers
# each with one: what Python reads from a record, or writes. Bytes travel as base64.
import base64, datetime, decimal, json, pickle, sys, time, uuid, zlib
import flask
from flask.sessions import SecureCookieSessionInterface, TaggedJSONSerializer
from itsdangerous import BadSignature, Signer
from markupsafe import Markup
import msgpack

UTC = datetime.timezone.utc
SAMPLES = {
    "empty": {},
    "plain": {"user": {"id": 42, "name": "Ada"}, "role": "admin", "cart": [1, 2.5, "żółć", "😀"], "n": None, "t": True, "f": False, "neg": -5, "nested": [[[]], {"a": {}}], "": "empty"},
    "numbers": {"big": 2**80, "low": -2**80, "f": 1.0, "tiny": 5e-324, "huge": 1e300, "nan": float("nan"), "inf": float("inf"), "ninf": float("-inf"), "u64": 2**64 - 1, "i64": -2**63, "ints": [0, 127, 128, 255, 256, 65535, 65536, -1, -128, -129, -32769, 2**31, -2**31, -2**31 - 1]},
    "types": {"t": (1, 2, ("x",)), "b": b"\x00\xff\x80", "u": uuid.UUID(int=2**127 + 7), "m": Markup("<b>&</b>"), "d": datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), "flashes": [("message", "hi")]},
    "tags": {"a": {" t": [1]}, "b": {" t__": 1}, "c": {" di": {" di": 1}}, "d": {" x": 1}, "e": {" t": 1, "u": 2}, "f": [{" b": "AA"}]},
    "onetag": {" t": [1, 2]},
    "surrogate": {"s": "a\ud800b", "\udfff": "\ud83d", "pair": "\U0001f600"},
    "long": {"text": "x" * 3000, "many": list(range(300)), "keys": {str(i): i for i in range(300)}},
    "pickled": {"_permanent": True, "dec": decimal.Decimal("1.50"), "s": {1}, "fs": frozenset([1]), "micro": datetime.datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=datetime.timezone(datetime.timedelta(hours=-2, minutes=-30))), "naive": datetime.datetime(2023, 1, 2), "date": datetime.date(2024, 2, 3), "td": datetime.timedelta(days=-1, seconds=5, microseconds=3), "shared": [[1]] * 2},
}
SAMPLES["shuffled"] = {**SAMPLES["types"], **SAMPLES["pickled"]}
FORMS = {
    "tagged": (lambda v: TaggedJSONSerializer().dumps(v).encode(), lambda b: TaggedJSONSerializer().loads(b.decode())),
    "json": (lambda v: json.dumps(v).encode(), lambda b: json.loads(b.decode())),
    "msgpack": (msgpack.packb, lambda b: msgpack.unpackb(b, timestamp=3, strict_map_key=False)),
    "pickle": (pickle.dumps, pickle.loads),
}

def serializer(secret):
    app = flask.Flask("peer")
    app.secret_key = secret
    return SecureCookieSessionInterface().get_signing_serializer(app)

def show(v):
    if isinstance(v, dict):
        return "{" + ", ".join(sorted(show(k) + ": " + show(x) for k, x in v.items())) + "}"
    if isinstance(v, (list, tuple)):
        inner = ", ".join(map(show, v))
        return "[" + inner + "]" if isinstance(v, list) else "(" + inner + ")"
    return ascii(v)

def do(q):
    what = q["do"]
    if what == "dump":
        protocol = {"protocol": q["protocol"]} if "protocol" in q else {}
        return {"record": base64.b64encode(FORMS[q["form"]][0](SAMPLES[q["sample"]], **protocol)).decode()}
    if what == "load":
        try:
            v = FORMS[q["form"]][1](base64.b64decode(q["record"]))
            if not isinstance(v, dict):
                return {"ok": False}
        except Exception as e:
            return {"ok": False, "why": ascii(e)}
        return {"ok": True, "members": {ascii(k): show(x) for k, x in v.items()}}
    if what == "cookie":
        return {"cookie": serializer(q["secret"]).dumps(SAMPLES[q["sample"]])}
    if what == "open":
        try:
            v = serializer(q["secret"]).loads(q["cookie"], max_age=31 * 86400)
            return {"ok": isinstance(v, dict), "members": {ascii(k): show(x) for k, x in v.items()} if isinstance(v, dict) else None}
        except Exception as e:
            return {"ok": False, "why": ascii(e)}
    if what == "sign":
        return {"cookie": Signer(q["secret"], salt="flask-session", key_derivation="hmac").sign(q["id"]).decode()}

for line in sys.stdin:
    try:
        answer = do(json.loads(line))
    except Exception as e:
        answer = {"error": ascii(e)}
    print(json.dumps(answer), flush=True)

# A Flask application as many are: the signed cookie, or Flask-Session with Redis. It
# answers the requests of ../node/protocol.md.
import os, urllib.request, uuid
import flask
from flask import request, session

env = os.environ
app = flask.Flask("peer")
app.secret_key = env["SECRETS"].split(",")[0]
if env.get("REDIS_URL"):
    import redis
    from flask_session import Session
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=redis.Redis.from_url(env["REDIS_URL"]), SESSION_USE_SIGNER=env.get("SIGNED") == "1")
    Session(app)

def new_id():
    # Flask-Session 0.3 has no regenerate: this is what applications do instead.
    if hasattr(session, "sid"):
        app.session_interface.redis.delete("session:" + session.sid)
        session.sid = str(uuid.uuid4())

@app.get("/session")
def show():
    return flask.jsonify(id=getattr(session, "sid", "") if "session" in request.cookies else "", user=session.get("_user_id", ""),
                         members={k: v for k, v in session.items() if k != "_permanent"})

@app.post("/set")
def put():
    session[request.args["key"]] = flask.json.loads(request.data)
    return {}

@app.post("/delete")
def delete():
    session.pop(request.args["key"], None)
    return {}

@app.post("/login")
def login():
    new_id()
    session["_user_id"] = request.args["user"]
    return {}

@app.post("/regenerate")
def regenerate():
    new_id()
    session.clear()
    session["fresh"] = True
    return {}

@app.post("/logout")
def logout():
    session.clear()
    return {}

@app.post("/slow")
def slow():
    session.get("x")
    urllib.request.urlopen(request.args["gate"]).read()
    session[request.args["key"]] = flask.json.loads(request.data)
    return {}

@app.post("/flash")
def say():
    flask.flash(request.args["text"])
    return {}

@app.get("/flash")
def said():
    return flask.json.dumps(flask.get_flashed_messages())

app.run(host="127.0.0.1", port=int(env["PORT"]), threaded=True)

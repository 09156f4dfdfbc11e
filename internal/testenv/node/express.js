// An Express shop as many are: express-session, a store, Passport, flash messages.
import { createClient } from 'redis'
import pg from 'pg'
import express from 'express'
import session from 'express-session'
import { RedisStore } from 'connect-redis'
import connectPg from 'connect-pg-simple'
import flash from 'connect-flash'
import passport from 'passport'

const env = process.env
const store = env.PG_URL
	? new (connectPg(session))({ pool: new pg.Pool({ connectionString: env.PG_URL }), createTableIfMissing: true, pruneSessionInterval: false })
	: new RedisStore({ client: await createClient({ url: env.REDIS_URL }).connect() })

const app = express()
app.use(session({
	store,
	secret: env.SECRETS.split(','),
	resave: env.RESAVE === '1',
	saveUninitialized: false,
	rolling: env.ROLLING === '1',
	cookie: { httpOnly: true, sameSite: 'lax', ...(env.MAX_AGE ? { maxAge: Number(env.MAX_AGE) } : {}) },
}))
passport.serializeUser((user, done) => done(null, user.id))
passport.deserializeUser((id, done) => done(null, { id }))
app.use(passport.session())
app.use(flash())
app.use(express.json({ strict: false, type: () => true }))

app.get('/session', (req, res) => {
	const { cookie, ...members } = req.session
	res.json({ id: req.sessionID, user: req.user?.id ?? '', members })
})
app.post('/set', (req, res) => {
	req.session[req.query.key] = req.body
	res.json({})
})
app.post('/delete', (req, res) => {
	delete req.session[req.query.key]
	res.json({})
})
app.post('/login', (req, res, next) => {
	req.login({ id: req.query.user }, { keepSessionInfo: true }, (err) => (err ? next(err) : res.json({})))
})
app.post('/regenerate', (req, res, next) => {
	req.session.regenerate((err) => {
		req.session.fresh = true
		err ? next(err) : res.json({})
	})
})
app.post('/logout', (req, res, next) => {
	req.session.destroy((err) => {
		res.clearCookie('connect.sid')
		err ? next(err) : res.json({})
	})
})
app.post('/slow', async (req, res) => {
	await fetch(req.query.gate)
	req.session[req.query.key] = req.body
	res.json({})
})
app.post('/flash', (req, res) => {
	req.flash('info', req.query.text)
	res.json({})
})
app.get('/flash', (req, res) => res.json(req.flash('info')))

app.listen(Number(env.PORT), '127.0.0.1')

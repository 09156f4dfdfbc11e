// A Koa application with koa-session (in its cookie, or in Redis) or
// koa-generic-session.
import { createClient } from 'redis'
import Koa from 'koa'
import session from 'koa-session'
import generic from 'koa-generic-session'
import koaRedis from 'koa-redis'

const env = process.env
const app = new Koa()
app.keys = env.SECRETS.split(',')
app.silent = env.QUIET === '1'

const client = env.REDIS_URL && env.MODE !== 'generic' ? await createClient({ url: env.REDIS_URL }).connect() : null
const store = client && {
	get: async (key) => JSON.parse(await client.get(key)),
	set: async (key, value, maxAge) => {
		const ttl = typeof maxAge === 'number' ? { EX: Math.ceil(maxAge / 1000) } : {}
		await client.set(key, JSON.stringify(value), ttl)
	},
	destroy: (key) => client.del(key),
}
const maxAge = env.MAX_AGE === 'session' ? 'session' : env.MAX_AGE ? Number(env.MAX_AGE) : undefined
if (env.MODE === 'generic') {
	app.use(generic({ store: koaRedis({ url: env.REDIS_URL }), rolling: env.ROLLING === '1', ...(maxAge ? { cookie: { maxAge } } : {}) }))
} else {
	app.use(session({ store: store ?? undefined, rolling: env.ROLLING === '1', renew: env.RENEW === '1', ...(maxAge ? { maxAge } : {}) }, app))
}

const body = async (ctx) => {
	const parts = []
	for await (const part of ctx.req) parts.push(part)
	return JSON.parse(Buffer.concat(parts).toString())
}
const members = (ctx) => {
	if (!ctx.session) return {}
	const all = JSON.parse(JSON.stringify(ctx.session))
	for (const key of ['cookie', '_expire', '_maxAge', '_session']) delete all[key]
	return all
}
const routes = {
	'GET /session': (ctx) => {
		ctx.body = { id: ctx.sessionId ?? ctx.session?.externalKey ?? '', user: ctx.session?.user ?? '', members: members(ctx) }
	},
	'POST /set': async (ctx) => {
		ctx.session[ctx.query.key] = await body(ctx)
	},
	'POST /delete': (ctx) => {
		delete ctx.session[ctx.query.key]
	},
	'POST /login': async (ctx) => {
		const before = members(ctx)
		if (env.MODE === 'generic') await ctx.regenerateSession()
		else if (store) await ctx.session.regenerate()
		Object.assign(ctx.session, before, { user: ctx.query.user })
	},
	'POST /regenerate': async (ctx) => {
		if (env.MODE === 'generic') await ctx.regenerateSession()
		else if (store) await ctx.session.regenerate() // which keeps the members
		if (env.MODE !== 'generic') ctx.session = {}
		ctx.session.fresh = true
	},
	'POST /logout': (ctx) => {
		ctx.session = null
	},
	'POST /slow': async (ctx) => {
		const value = await body(ctx)
		void ctx.session.user
		await fetch(ctx.query.gate)
		ctx.session[ctx.query.key] = value
	},
}
app.use(async (ctx) => {
	const route = routes[`${ctx.method} ${ctx.path}`]
	if (!route) return
	ctx.body = {}
	await route(ctx)
})
app.listen(Number(env.PORT), '127.0.0.1')

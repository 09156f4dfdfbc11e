// The shop as it was before Go came: nothing in here knows of it.
const express = require('express')
const session = require('express-session')
const { RedisStore } = require('connect-redis')
const { createClient } = require('redis')

const { PORT = '3000', REDIS_URL = 'redis://127.0.0.1:6379', SESSION_SECRET = 'keyboard cat' } = process.env
const goods = { tea: 4, milk: 2, honey: 7 }
const escape = (s) => String(s).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

async function main() {
	const client = await createClient({ url: REDIS_URL }).connect()
	const app = express()
	app.use(session({ store: new RedisStore({ client }), secret: SESSION_SECRET, resave: false, saveUninitialized: false }))
	app.use(express.urlencoded({ extended: false }))

	app.get('/', (req, res) => {
		const { user, cart = [], orders = [] } = req.session
		res.send(`<!doctype html><title>Shop</title><h1>Shop</h1>
<p>${user ? `Hello ${escape(user)}! <form method="post" action="/logout"><button>Log out</button></form>` : `<form method="post" action="/login"><input name="user" aria-label="Name"><button>Log in</button></form>`}
<ul>${Object.entries(goods).map(([name, price]) => `<li>${name}, ${price} € <form method="post" action="/cart"><button name="item" value="${name}">Add</button></form>`).join('')}</ul>
<p>Cart: ${cart.map((line) => `${line.count} × ${escape(line.item)}`).join(', ') || 'empty'}. <a href="/checkout">Checkout</a>
<p>Orders: ${orders.map((o) => `${escape(o.id)} (${o.total} €)`).join(', ') || 'none'}.`)
	})
	app.post('/cart', (req, res) => {
		const cart = (req.session.cart ??= [])
		const line = cart.find((line) => line.item === req.body.item)
		if (line) line.count++
		else if (goods[req.body.item]) cart.push({ item: req.body.item, price: goods[req.body.item], count: 1 })
		res.redirect(303, '/')
	})
	app.post('/login', (req, res, next) => {
		const { cart } = req.session
		req.session.regenerate((err) => {
			if (err) return next(err)
			Object.assign(req.session, { cart, user: req.body.user })
			res.redirect(303, '/')
		})
	})
	app.post('/logout', (req, res, next) => {
		req.session.destroy((err) => (err ? next(err) : res.redirect(303, '/')))
	})
	app.listen(Number(PORT), '127.0.0.1', () => console.log(`shop on http://127.0.0.1:${PORT}`))
}
main()

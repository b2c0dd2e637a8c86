// The reference of a start: the smallest server of the same libraries, Hono on @hono/node-server, bundled as the product is.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const app = new Hono()
app.get('*', (c) => c.json({ version: '1.0.0' }))
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.argv[2] ?? 0) })

// What the names of these global classes mean in the bundle: the light ones of @hono/node-server, which make a real one when they have to.
export { LightRequest as Request, LightResponse as Response } from '@hono/node-server'
export { NodeHeaders as Headers } from './web-classes.js'

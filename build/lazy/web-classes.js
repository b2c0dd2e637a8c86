// Stand-ins for Node's Request, Response and Headers. To read one of the real ones loads Node's whole fetch (undici): 30 to 50 ms of a start,
// and most answers never need them. The first object that is made of one loads all three, which then become the parents of the stand-ins, so
// that what was derived from a stand-in has their methods.
const loaders = []
let isLoaded = false

function load() {
  isLoaded = true
  for (const one of loaders) one()
}

function standIn(name) {
  let real
  function StandIn(...given) {
    if (!isLoaded) load()
    return Reflect.construct(real, given, new.target === StandIn ? real : new.target)
  }
  // Asked of classes derived from it as well, hence `this`.
  Object.defineProperty(StandIn, Symbol.hasInstance, {
    value(one) {
      return (
        Function.prototype[Symbol.hasInstance].call(this, one) || (this === StandIn && isLoaded && one instanceof real)
      )
    },
  })
  loaders.push(() => {
    real = globalThis[name]
    Object.setPrototypeOf(StandIn, real)
    Object.setPrototypeOf(StandIn.prototype, real.prototype)
  })
  return StandIn
}

export const NodeRequest = standIn('Request')
export const NodeResponse = standIn('Response')
export const NodeHeaders = standIn('Headers')

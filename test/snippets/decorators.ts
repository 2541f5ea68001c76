import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
// #region right
import { Bind, Span, Transaction } from 'threadspan'

class Orders {
  @Transaction('place order', { attributes: (order: Order) => ({ 'order.kind': order.kind }) })
  async place(order: Order): Promise<string> {
    return this.save(order)
  }

  @Span() // Orders.save
  async save(order: Order): Promise<string> {
    return `saved ${order.kind}`
  }

  @Bind // `this`, and what is current where the Orders are made
  onMessage(text: string): void {
    this.last = text
  }

  last = ''
}
// #endregion

// #region wrong
class Wrong {
  @Span('save', { attributes: (order: Order) => ({ order: JSON.stringify(order) }) }) // a card number, in every trace
  async save(_order: Order): Promise<void> {}
}
// #endregion

interface Order {
  kind: string
}

const orders = new Orders()
assert.equal(await orders.place({ kind: 'gift' }), 'saved gift')
// #region listener
const emitter = new EventEmitter()
emitter.on('message', orders.onMessage)
emitter.off('message', orders.onMessage) // the same function
// #endregion
assert.equal(emitter.listenerCount('message'), 0)
await new Wrong().save({ kind: 'x' })

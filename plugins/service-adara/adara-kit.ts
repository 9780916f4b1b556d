// For sources of plugins: a stream of ADARA cut into packets, their formats, and the hello of a client.
export * from './wire/cut.js'
export { DISCONNECTED, EPOCH_S, formats, helloPacket } from './wire/packets.js'

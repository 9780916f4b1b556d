// SASL PLAIN and SCRAM (RFC 5802, 7677), client side.
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { CodedError } from '../api/errors.js'
import { type KafkaSettings } from './options.js'

type Credentials = NonNullable<KafkaSettings['sasl']>
/** Sends one token and returns the server's answer; throws CodedError KAFKA_AUTH when it refuses. */
type Exchange = (token: Buffer) => Promise<Buffer>

const derive = promisify(pbkdf2)
const refused = (why: string): CodedError => new CodedError('KAFKA_AUTH', `SASL: ${why}`)

/** Runs the mechanism's exchange to its end. */
export async function authenticate(credentials: Credentials, exchange: Exchange): Promise<void> {
  const { mechanism, username, password } = credentials
  if (mechanism === 'plain') await exchange(Buffer.from(`\0${username}\0${password}`))
  else await scram(mechanism === 'scram-sha-256' ? 'sha256' : 'sha512', username, password, exchange)
}

/** `a=…,b=…` as a Map. */
function attributes(text: string): Map<string, string> {
  return new Map(text.split(',').map((part) => [part.slice(0, 1), part.slice(2)]))
}

async function scram(hash: 'sha256' | 'sha512', username: string, password: string, exchange: Exchange): Promise<void> {
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest()
  const nonce = randomBytes(24).toString('base64')
  const name = username.normalize('NFKC').replaceAll('=', '=3D').replaceAll(',', '=2C')
  const first = `n=${name},r=${nonce}`
  const serverFirst = (await exchange(Buffer.from(`n,,${first}`))).toString()
  const said = attributes(serverFirst)
  const serverNonce = said.get('r') ?? ''
  const iterations = Number(said.get('i'))
  if (!serverNonce.startsWith(nonce) || serverNonce.length <= nonce.length)
    throw refused('the server did not extend our nonce')
  // Fewer is a downgrade that makes the password easy to guess, more is a way to keep us busy.
  if (!(iterations >= 4096 && iterations <= 1_000_000)) throw refused(`the server asks for ${said.get('i')} iterations`)
  const length = hash === 'sha256' ? 32 : 64
  const salted = await derive(
    password.normalize('NFKC'),
    Buffer.from(said.get('s') ?? '', 'base64'),
    iterations,
    length,
    hash
  )
  const clientKey = hmac(salted, 'Client Key')
  const storedKey = createHash(hash).update(clientKey).digest()
  const final = `c=${Buffer.from('n,,').toString('base64')},r=${serverNonce}`
  const signed = `${first},${serverFirst},${final}`
  const signature = hmac(storedKey, signed)
  const proof = clientKey.map((byte, i) => byte ^ signature[i]!)
  const serverFinal = attributes(
    (await exchange(Buffer.from(`${final},p=${Buffer.from(proof).toString('base64')}`))).toString()
  )
  const expected = hmac(hmac(salted, 'Server Key'), signed)
  const proved = Buffer.from(serverFinal.get('v') ?? '', 'base64')
  if (proved.length !== expected.length || !timingSafeEqual(proved, expected))
    throw refused(`the server does not know the password: ${serverFinal.get('e') ?? 'wrong signature'}`)
}

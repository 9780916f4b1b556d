// A small assembler: WebAssembly text in folded form (each operand inside its instruction) to a module. Only what the kernel needs.

type Node = string | readonly Node[]

const I32 = 0x7f
const types: Readonly<Record<string, number>> = { i32: I32, f64: 0x7c, v128: 0x7b }

/** What follows an opcode: nothing; the index of a local; alignment and offset; a number; 16 lanes. */
type Immediate = 'local' | 'memory' | 'i32' | 'lanes'
const plain = (...code: number[]): readonly [readonly number[], Immediate?] => [code]
/** Opcodes from 0x80 on need two bytes of LEB128. */
const simd = (code: number, immediate?: Immediate): readonly [readonly number[], Immediate?] => [
  [0xfd, ...unsigned(code)],
  ...((immediate === undefined ? [] : [immediate]) as [Immediate?])
]

const opcodes: Readonly<Record<string, readonly [readonly number[], Immediate?]>> = {
  'local.get': [[0x20], 'local'],
  'local.set': [[0x21], 'local'],
  'i32.load': [[0x28], 'memory'],
  'i32.store': [[0x36], 'memory'],
  'i32.const': [[0x41], 'i32'],
  'i32.add': plain(0x6a),
  'i32.shl': plain(0x74),
  'i32.lt_u': plain(0x49),
  'v128.load': simd(0, 'memory'),
  'v128.store': simd(11, 'memory'),
  'i8x16.shuffle': simd(13, 'lanes'),
  'i32x4.splat': simd(17),
  'f64x2.splat': simd(20),
  'i32x4.le_u': simd(62),
  'v128.bitselect': simd(82),
  'i32x4.sub': simd(177),
  'f64x2.add': simd(240),
  'f64x2.mul': simd(242),
  'i32x4.trunc_sat_f64x2_s_zero': simd(252),
  'f64x2.convert_low_i32x4_s': simd(254)
}

function unsigned(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest & 127) | 128)
  }
}

function signed(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest >>= 7) {
    if (rest >= -64 && rest < 64) return [...bytes, rest & 127]
    bytes.push((rest & 127) | 128)
  }
}

const text = (value: string): number[] => [...unsigned(value.length), ...Buffer.from(value)]
const list = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()]
const section = (id: number, items: readonly (readonly number[])[]): number[] => {
  const body = list(items)
  return [id, ...unsigned(body.length), ...body]
}

function parse(source: string): readonly Node[] {
  const stack: Node[][] = [[]]
  for (const token of source.replace(/;;.*/g, '').match(/[()]|[^\s()]+/g) ?? []) {
    if (token === '(') stack.push([])
    else if (token === ')') {
      const done = stack.pop()!
      stack.at(-1)!.push(done)
    } else stack.at(-1)!.push(token)
  }
  return stack[0]!
}

class Func {
  readonly params: number[] = []
  readonly #names: string[] = []
  readonly #locals: number[] = []
  readonly name: string
  readonly code: readonly number[]

  constructor([, name, ...rest]: readonly Node[]) {
    this.name = String(name).slice(1)
    const isDeclared = ([head]: Node | readonly Node[]): boolean => head === 'param' || head === 'local'
    for (const [head, local, type] of rest.filter(isDeclared) as (readonly string[])[]) {
      this.#names.push(local!)
      const types_ = head === 'param' ? this.params : this.#locals
      types_.push(types[type!]!)
    }
    const body = rest.filter((node) => !isDeclared(node)).flatMap((node) => this.#encode(node, []))
    const own = [...list(this.#locals.map((type) => [1, type])), ...body, 0x0b]
    this.code = [...unsigned(own.length), ...own]
  }

  /** @param labels - of the loops around, innermost first */
  #encode(node: Node, labels: readonly string[]): number[] {
    const [head, ...rest] = node as readonly [string, ...Node[]]
    if (head === 'loop') {
      const inner = [String(rest[0]), ...labels]
      return [0x03, 0x40, ...rest.slice(1).flatMap((one) => this.#encode(one, inner)), 0x0b]
    }
    if (head === 'br_if') return [...this.#encode(rest[1]!, labels), 0x0d, ...unsigned(labels.indexOf(String(rest[0])))]
    const known = opcodes[head]
    if (known === undefined) throw new Error(`no opcode for ${head}`)
    const [code, immediate] = known
    const words = rest.filter((one): one is string => typeof one === 'string')
    const operands = rest.filter((one) => typeof one !== 'string').flatMap((one) => this.#encode(one, labels))
    return [...operands, ...code, ...this.#immediate(immediate, words)]
  }

  #immediate(kind: Immediate | undefined, words: readonly string[]): number[] {
    if (kind === undefined) return []
    if (kind === 'local') return unsigned(this.#names.indexOf(words[0]!))
    // Aligned to 4 bytes, which is a hint only
    if (kind === 'memory') return [2, ...unsigned(Number(words[0] ?? 0))]
    return kind === 'i32' ? signed(Number(words[0])) : words.map(Number)
  }
}

/** Functions without results, exported by their names; the memory is imported as `env.memory`. */
export function assemble(source: string, pages: number): Uint8Array<ArrayBuffer> {
  const functions = parse(source).map((node) => new Func(node as readonly Node[]))
  const bytes = [
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, functions.map(({ params }) => [0x60, ...list(params.map((type) => [type])), 0])), // prettier-ignore
    ...section(2, [[...text('env'), ...text('memory'), 2, 1, ...unsigned(pages), ...unsigned(pages)]]),
    ...section(3, functions.map((_, i) => unsigned(i))), // prettier-ignore
    ...section(7, functions.map(({ name }, i) => [...text(name), 0, ...unsigned(i)])), // prettier-ignore
    ...section(10, functions.map(({ code }) => code)) // prettier-ignore
  ]
  return Uint8Array.from(bytes)
}

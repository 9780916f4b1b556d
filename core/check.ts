// JSON Schema checks: every finding with its path, in words that say what to do.
import { nearest } from './api/nearest.js'
import { Ajv, type AnySchemaObject, type ErrorObject, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { type Finding, type JSONSchema } from './api/plugin.js'

const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  useDefaults: true,
  strict: true,
  allowUnionTypes: true,
  strictRequired: false
})
addFormats.default(ajv)

const compiled = new WeakMap<object, ValidateFunction>()

/** Compiles a schema (throws what ajv throws when the schema itself is wrong). */
export function compileSchema(schema: JSONSchema): ValidateFunction {
  if (typeof schema === 'boolean') return ajv.compile(schema)
  let validate = compiled.get(schema)
  if (validate === undefined) compiled.set(schema, (validate = ajv.compile(schema as AnySchemaObject)))
  return validate
}

/** Fills in defaults and returns everything that does not fit, each with its path below `at`. */
export function check(schema: JSONSchema, value: unknown, at = '', code = 'CONFIG_INVALID'): Finding[] {
  const validate = compileSchema(schema)
  if (validate(value)) return []
  return withoutBranches(validate.errors ?? []).map((error) => ({
    code,
    path: at + pathOf(error) || '/',
    message: messageOf(error)
  }))
}

const isChoice = ({ keyword }: ErrorObject): boolean => keyword === 'anyOf' || keyword === 'oneOf'

/** A choice is one finding, not one for each of its branches; what lies deeper than the choice stays. */
function withoutBranches(errors: readonly ErrorObject[]): ErrorObject[] {
  const choices = errors.filter(isChoice)
  const isBranch = (error: ErrorObject): boolean =>
    choices.some(
      ({ schemaPath, instancePath }) =>
        error.schemaPath.startsWith(`${schemaPath}/`) && error.instancePath === instancePath
    )
  return errors.filter((error) => error.keyword !== 'if' && !isBranch(error))
}

function pathOf(error: ErrorObject): string {
  const params = error.params as Record<string, unknown>
  const key = params['additionalProperty'] ?? params['missingProperty'] ?? params['unevaluatedProperty']
  return error.instancePath + (typeof key === 'string' ? `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}` : '')
}

function messageOf(error: ErrorObject): string {
  const params = error.params as Record<string, unknown>
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return unknownKey(error)
    case 'required':
      return `is missing; give a value for '${String(params['missingProperty'])}'`
    case 'enum':
      return `must be one of ${(params['allowedValues'] as unknown[]).map((v) => JSON.stringify(v)).join(', ')}`
    case 'const':
      return `must be ${JSON.stringify(params['allowedValue'])}`
    case 'anyOf':
    case 'oneOf':
      return choiceText(error.schema as readonly JSONSchema[])
    case 'type':
      return `must be of type ${String(params['type'])}`
    default:
      return error.message ?? `does not fit (${error.keyword})`
  }
}

function choiceText(branches: readonly JSONSchema[]): string {
  const keys = branches.flatMap((branch) => (typeof branch === 'object' ? [...(branch.required ?? [])] : []))
  const types = branches.flatMap((branch) => {
    if (typeof branch !== 'object' || branch.type === undefined) return []
    return `${[branch.type].flat().join(' or ')}${branch.format === undefined ? '' : ` (${branch.format})`}`
  })
  if (types.length === branches.length) return `must be ${types.join(' or ')}`
  return keys.length === branches.length ? `needs one of ${keys.join(', ')}` : 'fits none of the allowed forms'
}

function unknownKey(error: ErrorObject): string {
  const params = error.params as Record<string, unknown>
  const key = String(params['additionalProperty'] ?? params['unevaluatedProperty'])
  const known = Object.keys((error.parentSchema?.['properties'] as object | undefined) ?? {})
  const near = nearest(key, known)
  if (near !== undefined) return `unknown key; did you mean '${near}'?`
  return known.length > 0 ? `unknown key; known are ${known.join(', ')}` : 'unknown key'
}

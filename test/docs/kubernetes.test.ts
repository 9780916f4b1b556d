// The example for Kubernetes: its probes ask what the daemon serves, its user, folders and grace fit the image and the config.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { parseConfigText } from '../../core/config.js'
import { packageRoot } from '../../core/root.js'
import { kubernetesPython, runPython } from '../support/python.js'

const read = (name: string): string => readFileSync(join(packageRoot, name), 'utf8')
const yaml = (name: string): unknown => parse(read(`examples/kubernetes/${name}`))

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
}
interface Container {
  readonly image: string
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly livenessProbe: Probe
  readonly startupProbe: Probe
  readonly readinessProbe: Probe
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
}
interface Deployment {
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: { readonly app: string } }
      readonly spec: {
        readonly terminationGracePeriodSeconds: number
        readonly securityContext: { readonly runAsUser: number }
        readonly containers: readonly [Container]
        readonly volumes: readonly ({ readonly name: string } & Record<string, unknown>)[]
      }
    }
  }
}
interface Kustomization {
  readonly resources: readonly string[]
  readonly images: readonly { readonly name: string; readonly newTag: string }[]
  readonly configMapGenerator: readonly [{ readonly name: string; readonly files: readonly string[] }]
}

/** Strict: a key that no schema has is wrong, too. Gives what is wrong. */
const script = `
import sys, kubernetes_validate, yaml
for item in yaml.safe_load_all(sys.stdin):
    try:
        kubernetes_validate.validate(item, "1.37", strict=True)
        print("good", item["kind"])
    except kubernetes_validate.ValidationError as error:
        print("wrong", item["kind"], error.message)
`
const validated = async (text: string): Promise<string[]> => (await runPython(script, [], text, kubernetesPython())).trim().split('\n').toSorted() // prettier-ignore

/** By kubectl, or where there is none only the objects that need no rendering. */
function rendered(): string {
  try {
    return execFileSync('kubectl', ['kustomize', 'examples/kubernetes'], { cwd: packageRoot, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }) // prettier-ignore
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const { resources } = yaml('kustomization.yaml') as Kustomization
    return resources.map((name) => read(`examples/kubernetes/${name}`)).join('---\n')
  }
}

describe('the example for Kubernetes', function () {
  this.timeout(120_000)
  const { spec } = (yaml('deployment.yaml') as Deployment).spec.template
  const [container] = spec.containers
  const kustomization = yaml('kustomization.yaml') as Kustomization

  it('has probes for what the daemon serves, where others reach it', () => {
    const { livenessProbe, startupProbe, readinessProbe, ports } = container
    assert.deepEqual([livenessProbe, startupProbe, readinessProbe].map(({ httpGet }) => httpGet.path), ['/healthz', '/healthz', '/readyz']) // prettier-ignore
    assert.deepEqual(new Set([livenessProbe, startupProbe, readinessProbe].map(({ httpGet }) => httpGet.port)), new Set(['metrics'])) // prettier-ignore
    assert.deepEqual(ports, [{ name: 'metrics', containerPort: 9464 }])
    const { reporters } = parseConfigText(read('examples/kubernetes/nexstream.toml'), 'a.toml') as { reporters: { prometheus: { host: string; port?: number } } } // prettier-ignore
    assert.deepEqual(reporters.prometheus, { host: '0.0.0.0' })
  })

  it('has the user, the folders and the version of the image', () => {
    const dockerfile = read('docker/Dockerfile')
    // `node` of the base image
    assert.ok(dockerfile.includes('USER node') && dockerfile.includes('NEXSTREAM_CONFIG=/config/nexstream.toml'))
    assert.equal(spec.securityContext.runAsUser, 1000)
    const places = new Map(container.volumeMounts.map(({ name, mountPath }) => [name, mountPath]))
    assert.deepEqual([...places], [['config', '/config'], ['data', '/data'], ['tmp', '/tmp']]) // prettier-ignore
    assert.deepEqual(spec.volumes.map(({ name }) => name), [...places.keys()]) // prettier-ignore
    const { version } = JSON.parse(read('package.json')) as { version: string }
    assert.deepEqual(kustomization.images, [{ name: container.image, newName: 'nexstream', newTag: version }])
    assert.deepEqual(kustomization.configMapGenerator, [{ name: 'nexstream', files: ['nexstream.toml'] }])
    for (const name of kustomization.resources) assert.ok(yaml(name) !== null, name)
    assert.ok(spec.terminationGracePeriodSeconds > 30)
  })

  it('renders to objects that are good by the schemas of Kubernetes', async () => {
    const text = rendered()
    const found = (await validated(text)).filter((line) => line !== 'good ConfigMap')
    assert.deepEqual(found, ['good Deployment', 'good PersistentVolumeClaim', 'good Service'])
    const [wrong = ''] = (await validated(text.replace('periodSeconds: 15', 'periodSecond: 15'))).filter((line) => line.startsWith('wrong')) // prettier-ignore
    assert.match(wrong, /^wrong Deployment .*'periodSecond' was unexpected/)
  })
})

// Makes nexstream_VERSION_ARCH.deb of a built clone, as any user: what npm packs, the packages it needs, the systemd unit, a first config. `node .ci/deb.js [FOLDER] [--uncompressed]`
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs' // prettier-ignore
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const [folder = '.', ...flags] = process.argv.slice(2).toSorted((a, b) => a.startsWith('-') - b.startsWith('-'))
const { version, description, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim()
const HOME = 'usr/lib/nexstream'
const CONFIG = 'etc/nexstream/nexstream.toml'
const out = resolve(folder, `nexstream_${version}_${architecture}.deb`)

const control = `Package: nexstream
Version: ${version}
Architecture: ${architecture}
Maintainer: the nexstream authors <nexstream@localhost>
Section: science
Priority: optional
Depends: nodejs (${engines.node.replace(/^>=/, '>= ')})
Description: ${description.replace(/\.$/, '')}
 The daemon with its command line, and a systemd unit that is started by
 hand: edit /${CONFIG} first.
`
// A package does not start what has no config of the site
const postinst = '#!/bin/sh\nset -e\n[ ! -d /run/systemd/system ] || systemctl daemon-reload\n'
const prerm =
  '#!/bin/sh\nset -e\n[ "$1" != remove ] || [ ! -d /run/systemd/system ] || systemctl disable --now nexstream\n'

function put(stage, name, text, mode) {
  mkdirSync(dirname(join(stage, name)), { recursive: true })
  writeFileSync(join(stage, name), text)
  if (mode !== undefined) chmodSync(join(stage, name), mode)
}

/** As npm would install it without our tools. */
function program(stage, work) {
  const home = join(stage, HOME)
  mkdirSync(home, { recursive: true })
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', work], { cwd: root, encoding: 'utf8' }).trim() // prettier-ignore
  execFileSync('tar', ['-xzf', join(work, packed), '-C', home, '--strip-components=1'])
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  for (const [path, { dev, devOptional }] of Object.entries(packages)) {
    const isOurs = /^node_modules\//.test(path) && path.lastIndexOf('node_modules/') === 0
    if (isOurs && dev !== true && devOptional !== true && existsSync(join(root, path)))
      cpSync(join(root, path), join(home, path), { recursive: true })
  }
  chmodSync(join(home, 'dist/commands/cli/main.js'), 0o755)
  mkdirSync(join(stage, 'usr/bin'))
  symlinkSync('../lib/nexstream/dist/commands/cli/main.js', join(stage, 'usr/bin/nexstream'))
}

const work = mkdtempSync(join(tmpdir(), 'nexstream-deb-'))
try {
  const stage = join(work, 'stage')
  program(stage, work)
  const read = (name) => readFileSync(join(root, 'examples', name), 'utf8')
  put(stage, 'usr/lib/systemd/system/nexstream.service', read('nexstream.service').replace('/usr/bin/env nexstream', '/usr/bin/nexstream').replace('/etc/systemd', '/usr/lib/systemd')) // prettier-ignore
  put(stage, CONFIG, read('all-in-one.toml').replaceAll('all-in-one.toml', `/${CONFIG}`).replace('folder = "."', 'folder = "/var/lib/nexstream"')) // prettier-ignore
  put(stage, 'usr/share/doc/nexstream/copyright', readFileSync(join(root, 'LICENSE'), 'utf8'))
  put(stage, 'DEBIAN/control', control)
  put(stage, 'DEBIAN/conffiles', `/${CONFIG}\n`)
  put(stage, 'DEBIAN/postinst', postinst, 0o755)
  put(stage, 'DEBIAN/prerm', prerm, 0o755)
  const compression = flags.includes('--uncompressed') ? ['-Znone'] : ['-Zxz']
  execFileSync('dpkg-deb', ['--root-owner-group', ...compression, '--build', stage, out], { stdio: ['ignore', 'ignore', 'inherit'] }) // prettier-ignore
} finally {
  rmSync(work, { recursive: true, force: true })
}
console.log(out)

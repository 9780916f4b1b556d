// Builds the docs as a static site into site/ and looks whether every link of it leads somewhere. VitePress is installed beside the staged pages: it is no dependency of ours.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs' // prettier-ignore
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'

const VITEPRESS = 'vitepress@1.6.4'
const root = resolve(import.meta.dirname, '..')
const out = join(root, 'site')
/** Endings of what pages link to and is no page. */
const ENDINGS = 'service,toml'

const files = (folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile())

/** README.md is the index of its folder, here and in links to it. */
const asIndex = (text) => text.replace(/(^|\/)README\.md(?=$|[#)])/gm, '$1index.md')

/** Links as the site has them: folders end in a slash, the licence is a page. */
function linked(page, markdown) {
  return markdown.replace(/\]\(([^)\s]+)\)/g, (whole, target) => {
    if (/^(https?|mailto):|^#/.test(target)) return whole
    const file = join(root, dirname(page), target.split('#')[0])
    if (existsSync(file) && statSync(file).isDirectory()) return `](${target.replace(/\/?$/, '/')})`
    return `](${asIndex(target).replace(/LICENSE$/, 'LICENSE.md')})`
  })
}

function stage(into) {
  const pages = ['README.md', 'CHANGELOG.md', ...['docs', 'plugins', 'examples'].flatMap((folder) => files(join(root, folder)).filter((name) => /\.(md|webp|svg)$/.test(name)).map((name) => join(folder, name)))] // prettier-ignore
  for (const page of pages) {
    const target = join(into, asIndex(page))
    mkdirSync(dirname(target), { recursive: true })
    if (page.endsWith('.md')) writeFileSync(target, linked(page, readFileSync(join(root, page), 'utf8')))
    else cpSync(join(root, page), target)
  }
  writeFileSync(join(into, 'LICENSE.md'), `# Licence\n\n${readFileSync(join(root, 'LICENSE'), 'utf8')}`)
}

/** The headings and links of the index of the docs. */
function sidebar() {
  const sections = readFileSync(join(root, 'docs/README.md'), 'utf8').split(/^## /m)
  return sections.map((section, i) => ({
    text: i === 0 ? 'nexstream' : section.split('\n')[0],
    items: [...section.matchAll(/\[([^\]]+)\]\(([^)#]+\.md)\)/g)].map(([, text, target]) => ({
      text: text[0].toUpperCase() + text.slice(1),
      link: `/${asIndex(join('docs', target)).replace(/(index)?\.md$/, '')}`
    }))
  }))
}

/** As GitHub makes them, so that links to headings are good in both places. */
const slugify = (heading) => heading.toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-') // prettier-ignore

function build(work) {
  stage(work)
  mkdirSync(join(work, '.vitepress'))
  const config = {
    title: 'nexstream',
    // Looked at below, with what is no page
    ignoreDeadLinks: true,
    outDir: out,
    themeConfig: { search: { provider: 'local' }, sidebar: sidebar(), nav: [{ text: 'Docs', link: '/docs/' }], outline: [2, 3] } // prettier-ignore
  }
  const text = `const slugify = ${String(slugify)}\nexport default { ...${JSON.stringify(config)}, markdown: { anchor: { slugify } } }\n`
  writeFileSync(join(work, '.vitepress/config.mjs'), text)
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] }
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', work, VITEPRESS], quiet)
  execFileSync(join(work, 'node_modules/.bin/vitepress'), ['build', work], {
    ...quiet,
    env: { ...process.env, VITE_EXTRA_EXTENSIONS: ENDINGS }
  })
  cpSync(join(root, 'examples'), join(out, 'examples'), { recursive: true, filter: (file) => !file.endsWith('.md') })
  // A folder that pages link to shows what is in it
  const folders = ['examples', ...readdirSync(join(out, 'examples'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => relative(out, join(entry.parentPath, entry.name)))] // prettier-ignore
  for (const folder of folders) {
    const index = join(out, folder, 'index.html')
    if (existsSync(index)) continue
    const names = readdirSync(join(out, folder)).map((name) => `<li><a href="./${name}">${name}</a></li>`)
    writeFileSync(index, `<!doctype html><meta charset="utf-8"><title>${folder}</title><h1>${folder}</h1><ul>${names.join('')}</ul>\n`) // prettier-ignore
  }
}

/** `page: link` of what leads nowhere. */
function deadLinks(site) {
  const ids = new Map()
  const idsOf = (file) => {
    if (!ids.has(file)) ids.set(file, new Set([...readFileSync(file, 'utf8').matchAll(/ id="([^"]+)"/g)].map(([, id]) => decodeURIComponent(id)))) // prettier-ignore
    return ids.get(file)
  }
  const pages = files(site).filter((name) => name.endsWith('.html') && name !== '404.html')
  return pages.flatMap((page) =>
    [...readFileSync(join(site, page), 'utf8').matchAll(/ (?:href|src)="([^"]+)"/g)]
      .map(([, link]) => link.replaceAll('&amp;', '&'))
      .filter((link) => !/^(https?:|mailto:|data:)/.test(link) && link !== '#')
      .filter((link) => {
        const [path, anchor = ''] = link.split('#')
        const target = path === '' ? join(site, page) : path.startsWith('/') ? join(site, path) : join(site, dirname(page), path) // prettier-ignore
        const file = [target, `${target}.html`, join(target, 'index.html')].find((one) => existsSync(one) && statSync(one).isFile()) // prettier-ignore
        return file === undefined || (anchor !== '' && file.endsWith('.html') && !idsOf(file).has(decodeURIComponent(anchor))) // prettier-ignore
      })
      .map((link) => `${page}: ${link}`)
  )
}

const work = mkdtempSync(join(tmpdir(), 'nexstream-site-'))
try {
  rmSync(out, { recursive: true, force: true })
  build(work)
} finally {
  rmSync(work, { recursive: true, force: true })
}
const dead = [...new Set(deadLinks(out))]
for (const link of dead) console.error(`dead link: ${link}`)
console.log(`site/ has ${files(out).filter((name) => name.endsWith('.html')).length} pages; look at it with: python3 -m http.server -d site`) // prettier-ignore
process.exitCode = dead.length > 0 ? 1 : 0

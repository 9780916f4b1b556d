// All generated pages, and whether the files hold them.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadCommands } from '../../core/commands.js'
import { loadPlugins } from '../../core/loader.js'
import { packageRoot } from '../../core/root.js'
import { cliPage } from './cli-page.js'
import { commandsPage, statusPage } from './commands-page.js'
import { configPage } from './config-page.js'
import { errorsPage } from './errors-page.js'
import { type Page } from './markdown.js'
import { metricsPage } from './metrics-page.js'
import { pluginReadmes, pluginsPage } from './plugins-page.js'
import { readersPage } from './readers-page.js'
import { reasonsPage } from './reasons-page.js'
import { readRecorded } from './recorded.js'
import { schemasPage } from './schemas-page.js'

/** What the files should hold now. */
export async function allPages(): Promise<Page[]> {
  const loaded = await loadPlugins({ plugins: [], baseFolder: packageRoot })
  try {
    const recorded = readRecorded()
    return [
      configPage(),
      commandsPage(await loadCommands(loaded.host), recorded),
      statusPage(recorded),
      errorsPage(loaded),
      reasonsPage(),
      readersPage(),
      metricsPage(loaded.host),
      schemasPage(loaded.host),
      pluginsPage(loaded),
      await cliPage(loaded),
      ...pluginReadmes(loaded)
    ]
  } finally {
    await loaded.close()
  }
}

/** The file is there and holds just this. */
export function isFresh({ path, content }: Page): boolean {
  const file = join(packageRoot, path)
  return existsSync(file) && readFileSync(file, 'utf8') === content
}

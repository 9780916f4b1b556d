// The tool `lamp-names`: loaded only when it runs.
export default async function names([file], { upper, json }, { readText, print, printJson, parts }) {
  const lines = (await readText(file)).split('\n').filter(Boolean)
  const found = [...new Set(lines.map((line) => line.split('\t')[0]))].map((name) => (upper ? name.toUpperCase() : name))
  if (json) await printJson({ names: found, converter: parts.converter('lm00')?.id })
  else for (const name of found) await print(name)
  return found.length === 0 ? 5 : 0
}

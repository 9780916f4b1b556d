// The HDF5 library in five versions, out of pinned h5py wheels: what old and new readers are built with.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { arch, platform } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cached } from '../../plugins/tools-dev/fetched/cache.js'
import { python } from './python.js'

const run = promisify(execFile)

/** HDF5 version → the wheel that has it; only its C library is used, so the Python of the wheel does not matter. */
const wheels = {
  '1.8.18': ['2.7.1', '3.6', '537a60879485e5ce484ab4350c7bd8b3da4b531f9f82ef0a18780beabde98c90'],
  '1.10.4': ['2.10.0', '3.8', 'd35f7a3a6cefec82bfdad2785e78359a0e6a5fbb3f605dd5623ce88082ccd681'],
  '1.12.2': ['3.8.0', '3.11', '33b15aae79e9147aebe1d0e54099cbcde8d65e3e227cd5b59e49b1272aa0e09d'],
  '1.14.6': ['3.14.0', '3.11', '723a40ee6505bd354bfd26385f2dae7bbfa87655f4e61bab175a49d72ebfc06b'],
  '2.0.0': ['3.16.0', '3.11', 'fb1720028d99040792bb2fb31facb8da44a6f29df7697e0b84f0d79aff2e9bd3']
} as const

export type Hdf5Version = keyof typeof wheels
export const hdf5Versions = Object.keys(wheels) as Hdf5Version[]

/** Path of the C library of each version. Downloaded once. */
export async function hdf5Libraries(): Promise<ReadonlyMap<Hdf5Version, string>> {
  if (platform() !== 'linux' || arch() !== 'x64')
    throw new Error(
      `the HDF5 libraries of the tests are pinned for Linux on x86-64, this is ${platform()} on ${arch()}`
    )
  const key = createHash('sha256').update(JSON.stringify(wheels)).digest('hex').slice(0, 12)
  const root = await cached(`hdf5-${key}`, download)
  const found = hdf5Versions.map(async (version) => [version, await libraryOf(join(root, version))] as const)
  return new Map(await Promise.all(found))
}

async function download(folder: string): Promise<void> {
  const interpreter = await python()
  for (const [version, [release, pythonVersion, hash]] of Object.entries(wheels)) {
    const list = join(folder, `${version}.txt`)
    await writeFile(list, `h5py==${release} --hash=sha256:${hash}\n`)
    const platforms = ['manylinux1_x86_64', 'manylinux2014_x86_64', 'manylinux_2_17_x86_64', 'manylinux_2_28_x86_64']
    const args = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check']
    const target = ['--python-version', pythonVersion, '--implementation', 'cp', ...platforms.flatMap((name) => ['--platform', name])] // prettier-ignore
    try {
      await run(interpreter, [...args, ...target, '--require-hashes', '-d', folder, '-r', list])
      const wheel = (await readdir(folder)).find((name) => name.startsWith(`h5py-${release}-`)) ?? ''
      await run(interpreter, ['-m', 'zipfile', '-e', join(folder, wheel), join(folder, version)])
    } catch (error) {
      const { stderr } = error as { stderr?: string }
      throw new Error(`Could not get HDF5 ${version} (h5py ${release}): ${stderr ?? String(error)}`, { cause: error })
    }
  }
}

async function libraryOf(wheel: string): Promise<string> {
  for (const place of ['h5py.libs', 'h5py/.libs']) {
    const names = await readdir(join(wheel, place)).catch(() => [])
    const name = names.find((name) => /^libhdf5-.*\.so/.test(name))
    if (name !== undefined) return join(wheel, place, name)
  }
  throw new Error(`${wheel} has no HDF5 library`)
}

// Joins the modules that tsc left in dist-modules/ to one file: Node.js takes a millisecond to find and open a module, and
// the library has hundreds of them.
//   dist/            what is published: the entries of package.json and of worker threads, on dist/library.js
//   dist-internals/  for tests: every module by its own path, on one file too
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const from = join(root, 'dist-modules');

/** Modules that do something when they are imported. */
const programs = ['cli/main', 'data/workers/entry'];
/** What stays out of the one file: programs, and what `thalweg info` needs to say why the addon, so the library, does not load. */
const outside = (name) =>
  programs.includes(name) || name.startsWith('cli/') || name === 'load' || name === 'packageRoot';

const nameOf = (file) => file.replaceAll('\\', '/').slice(0, -'.js'.length);
const modules = readdirSync(from, { recursive: true })
  .filter((file) => file.endsWith('.js'))
  .map(nameOf)
  // tsc does not delete what it made of a source that is no more.
  .filter((name) => existsSync(join(root, 'src', `${name}.ts`)));

async function bundle(folder, names) {
  const built = await rolldown({
    cwd: root,
    input: Object.fromEntries(names.map((name) => [name, join(from, `${name}.js`)])),
    platform: 'node',
    // Asked for where dependencies of the one file may stay outside. The entries export nothing more.
    preserveEntrySignatures: 'allow-extension',
    external: (id) => !id.startsWith('.') && !id.startsWith('/'),
    // Modules register operations and methods when they are evaluated.
    treeshake: false,
    plugins: [
      {
        name: 'maps to the sources',
        load: (id) => ({ code: readFileSync(id, 'utf8'), map: readFileSync(`${id}.map`, 'utf8') }),
      },
    ],
    // What the command imports when it needs it is part of the library all the same.
    checks: { ineffectiveDynamicImport: false },
  });
  await built.write({
    dir: join(root, folder),
    format: 'esm',
    sourcemap: true,
    comments: false,
    // Layers, optimizers and errors tell the names of their classes.
    keepNames: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [{ name: 'library', test: (id) => !outside(nameOf(relative(from, id))) }],
    },
  });
  await built.close();
}

// What earlier builds left: chunks of other names, or modules. dist/bench is compiled by itself, declarations by tsc.
rmSync(join(root, 'dist-internals'), { recursive: true, force: true });
for (const file of readdirSync(join(root, 'dist'), { recursive: true }))
  if (/\.js(\.map)?$/.test(file) && !/^bench[\\/]/.test(file)) rmSync(join(root, 'dist', file));
await bundle('dist', ['index', 'probe', ...programs]);
await bundle('dist-internals', modules);

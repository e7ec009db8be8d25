// The goldens of all families and random cases against the float64 references, on the addon of THALWEG_ADDON. Arguments: the
// folder with the compiled tests, how many random cases a family, then which part of how many. Plain Node.js: this runs
// under emulation, where every package with a binary of its own would be one for the wrong processor.
import { readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';

const [folder, cases, part, parts] = process.argv.slice(2);
const load = (path) => import(new URL(path, pathToFileURL(`${folder}/`)).href);
const { info } = await load('src/index.js');
const { defined } = await load('node_modules/vitest/index.js');
const { families } = await load('test/fuzz/all.js');
const { runFamily } = await load('test/fuzz/fuzz.js');

const expectedIsa = process.env.THALWEG_CPU;
if (expectedIsa !== undefined && info().isa !== expectedIsa)
  throw new Error(`the addon computes with ${info().isa}, not with ${expectedIsa}`);

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const mine = (list) => list.filter((_, i) => i % Number(parts) === Number(part));
let failures = 0;
function failed(name, error) {
  failures++;
  console.error(`FAILED ${name}\n  ${error.message}`);
}

const { checkSamples } = await load('test/samples/check.js');
const files = readdirSync(`${folder}/test/samples`).filter((name) => name.endsWith('.test.js'));
for (const file of mine(files)) {
  const begin = performance.now();
  const family = file.replace('.test.js', '');
  defined.length = 0;
  checkSamples(family, (await load(`test/samples/${family}.js`)).samples);
  for (const { name, body } of defined) {
    try {
      await body();
    } catch (error) {
      failed(`${family}: ${name}`, error);
    }
  }
  console.log(`${info().isa}: ${defined.length} goldens of ${family}, ${seconds(begin)}`);
}
for (const family of mine(families)) {
  const begin = performance.now();
  try {
    await runFamily(family, { count: Number(cases), seed: 1 });
  } catch (error) {
    failed(`${family.name}`, error);
  }
  console.log(`${info().isa}: ${cases} random cases of ${family.name}, ${seconds(begin)}`);
}
process.exitCode = failures === 0 ? 0 : 1;

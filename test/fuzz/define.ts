// A family of random cases as a test. THALWEG_FUZZ: how many; THALWEG_FUZZ_SEED: other ones; THALWEG_FUZZ_CASE: that one.
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';
import { runCase, runFamily, type Family } from './fuzz.js';

const count = Number(process.env['THALWEG_FUZZ'] ?? (process.env['THALWEG_SANITIZED'] === '1' ? 40 : 150));
const seed = Number(process.env['THALWEG_FUZZ_SEED'] ?? 1);
const single = process.env['THALWEG_FUZZ_CASE'];
const folder = fileURLToPath(new URL('../../build/fuzz', import.meta.url));

export function defineFuzz(family: Family): void {
  if (single !== undefined) {
    test(`${family.name}: case ${single}`, () => runCase(family, Number(single)));
    return;
  }
  test(`${family.name}: ${count} random cases from seed ${seed}`, async () => {
    const seconds = await runFamily(family, { count, seed, folder });
    if (count > 1000) console.log(`fuzz ${family.name}: ${count} cases, ${seconds.toFixed(1)} s`);
  }, 3_600_000);
}

// The rows of all families: every file of this folder that exports `samples`.
import { readdirSync } from 'node:fs';
import type { Sample } from './sample.js';

const families = readdirSync(new URL('.', import.meta.url)).filter(
  (file) => !/^(check|sample|index)\.ts$|\.test\.ts$/.test(file),
);

export const samples: readonly Sample[] = (
  await Promise.all(
    families.map(
      async (file) => (await import(/* @vite-ignore */ `./${file}`)) as { readonly samples: readonly Sample[] },
    ),
  )
).flatMap((module) => module.samples);

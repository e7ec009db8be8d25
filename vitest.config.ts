import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

const sanitized = process.env['THALWEG_SANITIZED'] === '1';

export default defineConfig({
  resolve: {
    // `thalweg` and `thalweg/probe` as users import them.
    alias: [
      { find: /^thalweg$/, replacement: fileURLToPath(new URL('./src/index.ts', import.meta.url)) },
      { find: /^thalweg\/probe$/, replacement: fileURLToPath(new URL('./src/probe.ts', import.meta.url)) },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // Compilers, documents, downloads, foreign runtimes and the benchmark have nothing for the sanitizers, and take longest there.
    exclude: [
      ...configDefaults.exclude,
      ...(sanitized
        ? [
            'types',
            'bench',
            'readme',
            'cli',
            'runtimes',
            'data/archive',
            'data/csv',
            'data/download',
            'data/full-disk',
            'data/idx',
            'data/imageFolder',
            'data/imdb',
            'data/mnist',
            'data/npz',
            'data/progress',
            'data/text',
          ].map((name) => `test/${name}{.test.ts,/**}`)
        : []),
    ],
    setupFiles: ['test/device.ts'],
    typecheck: {
      // Type tests are compiled by tsc; the sanitizers have nothing to look at there.
      enabled: !sanitized,
      include: ['test/**/*.test-d.ts'],
      tsconfig: './tsconfig.json',
    },
    // Processes, not threads: each test file gets its own addon, and a crash is reported with the file's name.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: sanitized ? 600_000 : 180_000,
    hookTimeout: sanitized ? 600_000 : 60_000,
  },
});

import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig, type ViteUserConfig } from 'vitest/config';

const sanitized = process.env['THALWEG_SANITIZED'] === '1';

/** Test files that change or count what a whole process shares: environment variables, live tensors, the list of ops, threads. */
const ownProcess = [
  ...[
    'bad-input',
    'cli',
    'debug',
    'denormal',
    'determinism',
    'event-loop',
    'examples',
    'exit',
    'guard',
    'hostile',
    'load',
  ],
  ...['memory', 'native-garbage', 'probe', 'program', 'readme', 'runtimes', 'threads', 'workers'],
  ...['amp', 'attention', 'autograd', 'checkpoint', 'grid', 'metrics', 'modules', 'nn-utils', 'optim/cost'],
  ...['rearrange', 'rnn', 'trainings'],
].map((name) => `test/${name}.test.ts`);
const ownProcesses = [...ownProcess, 'test/{bench,cuda,data,io,tensorboard,train,types,utils}/**/*.test.ts'];

/**
 * Compilers, documents, data, foreign runtimes and the benchmark have nothing for the sanitizers, and take longest there:
 * what they run of the native code other tests run as well.
 */
const unsanitized = sanitized
  ? [
      ...[
        'types',
        'bench',
        'data',
        'train',
        'models',
        'report',
        'tensorboard',
        'readme',
        'cli',
        'runtimes',
        'examples',
      ],
      ...['debug', 'guard', 'load', 'messages'],
      // Without a device all but a few of them are skipped, one by one.
      ...(process.env['THALWEG_TEST_DEVICE'] ? [] : ['cuda']),
    ].map((name) => `test/${name}{.test.ts,/**}`)
  : [];

const timeouts = { testTimeout: sanitized ? 600_000 : 180_000, hookTimeout: sanitized ? 600_000 : 60_000 };

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/**
 * The tests on the library in src/, which each run transforms anew, or as `npm run build:ts` left it
 * (vitest.built.config.ts): a file that Node.js loads by itself, in a fraction of the time. Each test file loads it.
 */
export const config = (library: 'src' | 'built'): ViteUserConfig => ({
  resolve: {
    // `thalweg` and `thalweg/probe` as users import them.
    alias:
      library === 'built'
        ? [
            { find: /^thalweg$/, replacement: path('./dist-internals/index.js') },
            { find: /^thalweg\/probe$/, replacement: path('./dist-internals/probe.js') },
            { find: /^(?:\.\.\/)+src\//, replacement: path('./dist-internals/') },
          ]
        : [
            { find: /^thalweg$/, replacement: path('./src/index.ts') },
            { find: /^thalweg\/probe$/, replacement: path('./src/probe.ts') },
          ],
  },
  test: {
    server: { deps: { external: [/\/dist-internals\//] } },
    // Processes, not threads: a crash is reported with the file's name.
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'own process',
          include: ownProcesses,
          exclude: [...configDefaults.exclude, ...unsanitized],
          setupFiles: ['test/device.ts'],
          ...timeouts,
          typecheck: {
            // Type tests are compiled by tsc; the sanitizers have nothing to look at there.
            enabled: !sanitized,
            include: ['test/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
          },
        },
      },
      {
        extends: true,
        test: {
          // Many small files in a few processes: loading the library takes longer than most of them.
          name: 'shared',
          isolate: false,
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...unsanitized, ...ownProcesses],
          setupFiles: ['test/device.ts'],
          ...timeouts,
        },
      },
    ],
  },
});

export default defineConfig(config('src'));

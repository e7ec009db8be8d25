// Flags of the programs: what they are is said once, for parsing, checking and --help.
import { parseArgs } from 'node:util';

/** Wrong flags: the runner prints the message and how to use the program, and ends with status 2. */
export class UsageError extends Error {}

export interface Flag<T> {
  /** What stands for the value in the help; none for a switch. */
  readonly placeholder?: string;
  readonly help: string;
  readonly default: T;
  parse(name: string, text: string): T;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;
export type Values<F extends Flags> = { readonly [Name in keyof F]: F[Name] extends Flag<infer T> ? T : never };

function numeric(name: string, text: string, what: string, right: (value: number) => boolean): number {
  const value = Number(text);
  if (text.trim() === '' || !right(value)) throw new UsageError(`--${name} must be ${what}, not '${text}'.`);
  return value;
}

export function integer(fallback: number, help: string, min = 1): Flag<number> {
  return {
    placeholder: 'N',
    help: `${help} (${fallback})`,
    default: fallback,
    parse: (name, text) =>
      numeric(name, text, `an integer of at least ${min}`, (v) => Number.isSafeInteger(v) && v >= min),
  };
}

export function optionalInteger(help: string, min = 1): Flag<number | undefined> {
  return { ...integer(0, '', min), help, default: undefined };
}

export function number(fallback: number, help: string, min = 0): Flag<number> {
  return {
    placeholder: 'X',
    help: `${help} (${fallback})`,
    default: fallback,
    parse: (name, text) => numeric(name, text, `a number of at least ${min}`, (v) => Number.isFinite(v) && v >= min),
  };
}

export function folder(help: string): Flag<string | undefined> {
  return {
    placeholder: 'FOLDER',
    help,
    default: undefined,
    parse(name, text) {
      if (text === '') throw new UsageError(`--${name} must name a folder.`);
      return text;
    },
  };
}

/** Some of the given words, separated by commas. Default: all. */
export function some<Word extends string>(words: readonly Word[], help: string): Flag<readonly Word[]> {
  return {
    placeholder: 'LIST',
    help,
    default: words,
    parse(name, text) {
      const given = text.split(',').map((word) => word.trim());
      for (const word of given) {
        if (!(words as readonly string[]).includes(word))
          throw new UsageError(`--${name}: there is no '${word}'; there are ${words.join(', ')}.`);
      }
      return words.filter((word) => given.includes(word));
    },
  };
}

/** The flags of a command line: typed, checked, with defaults. Undefined if it asks for help. */
export function parseFlags<F extends Flags>(flags: F, args: readonly string[]): Values<F> | undefined {
  let given: Record<string, string | boolean | undefined>;
  try {
    given = parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        ...Object.fromEntries(Object.keys(flags).map((name) => [name, { type: 'string' } as const])),
      },
    }).values;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    // Anything else is a bug and keeps its stack.
    if (!code.startsWith('ERR_PARSE_ARGS')) throw error;
    throw new UsageError(message);
  }
  if (given['help'] === true) return undefined;
  return Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => {
      const text = given[name];
      return [name, typeof text === 'string' ? flag.parse(name, text) : flag.default];
    }),
  ) as Values<F>;
}

/** A line for each flag. */
export function describeFlags(flags: Flags): string {
  const rows = Object.entries(flags).map(([name, { placeholder, help }]) => [
    `--${name}${placeholder === undefined ? '' : ` ${placeholder}`}`,
    help,
  ]);
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return rows.map(([flag, help]) => `  ${flag.padEnd(width)}   ${help}`).join('\n');
}

// The documents tell the truth: their programs compile, run and print what they say; what they quote is there.
//
// A block marked `ts run` starts a program and `ts more` continues the one before; a `text output` block that follows is
// what that part must print (`text output, roughly`: with any digits). `diff apply` blocks must apply and compile; the
// lines of a block marked `quote PATH` must stand in that file, indented as may be.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const documents = ['README.md', 'CONTRIBUTING.md', ...markdownIn('docs')];
const execute = promisify(execFile);

function markdownIn(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `${folder}/${file}`);
}

interface Block {
  readonly document: string;
  readonly line: number;
  readonly info: string;
  readonly text: string;
}

function blocksOf(document: string): Block[] {
  const blocks: Block[] = [];
  let open: { info: string; line: number; lines: string[] } | undefined;
  for (const [i, line] of readFileSync(join(root, document), 'utf8').split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (fence === null) open?.lines.push(line);
    else if (open === undefined) open = { info: fence[1].trim(), line: i + 1, lines: [] };
    else {
      blocks.push({ document, line: open.line, info: open.info, text: open.lines.join('\n') });
      open = undefined;
    }
  }
  return blocks;
}

/** A program made of blocks of a document, and what it must print after each block that has an output. */
interface Program {
  readonly name: string;
  source: string;
  readonly outputs: { readonly part: number; readonly block: Block }[];
}

const mark = '=== end of part ===';

function programsOf(blocks: readonly Block[]): Program[] {
  const programs: Program[] = [];
  let part = 0;
  for (const [i, { document, line, info, text }] of blocks.entries()) {
    if (info !== 'ts run' && info !== 'ts more') continue;
    if (info === 'ts run') {
      part = 0;
      programs.push({ name: `${document}:${line}`, source: '', outputs: [] });
    }
    const program = programs.at(-1);
    if (program === undefined) throw new Error(`${document}:${line}: there is no program to continue.`);
    program.source += `${text}\nconsole.log(${JSON.stringify(mark)});\n`;
    const next = blocks[i + 1];
    if (next?.info.startsWith('text output')) program.outputs.push({ part, block: next });
    part++;
  }
  return programs;
}

function settings(): ts.CompilerOptions {
  const path = join(root, 'tsconfig.json');
  const { config } = ts.readConfigFile(path, (file) => ts.sys.readFile(file)) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  return { ...options, noEmit: true, noErrorTruncation: true, noUnusedLocals: false, noUnusedParameters: false };
}

/** What the compiler says of the given files, as `file(line): message`. Paths are relative to the root. */
function diagnose(files: ReadonlyMap<string, string>): string[] {
  const options = settings();
  const overlay = new Map([...files].map(([path, text]) => [join(root, path), text]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => overlay.has(path) || fileExists.call(host, path);
  host.readFile = (path) => overlay.get(path) ?? readFile.call(host, path);
  host.getSourceFile = (path, target, ...rest) => {
    const text = overlay.get(path);
    return text === undefined
      ? getSourceFile.call(host, path, target, ...rest)
      : ts.createSourceFile(path, text, target);
  };
  const program = ts.createProgram([...overlay.keys()], options, host);
  return [...overlay.keys()].flatMap((path) => {
    const source = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ start = 0, messageText }) => {
      const line = (source?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
      return `${path.slice(root.length)}(${line}): ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}

/** What a program prints, part by part. It runs on the built package, in an empty folder. */
async function run(program: Program): Promise<string[]> {
  // Inside the package, so that it can import itself by name.
  const folder = join(root, 'dist-examples', 'documents');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${program.name.replace(/\W/g, '-')}.mjs`);
  const compilerOptions = { target: settings().target, module: ts.ModuleKind.ESNext };
  writeFileSync(file, ts.transpileModule(program.source, { compilerOptions }).outputText);
  const cwd = mkdtempSync(join(tmpdir(), 'thalweg-documents-'));
  try {
    const { stdout, stderr } = await execute(process.execPath, [file], { cwd, timeout: 120_000 });
    expect(stderr).toBe('');
    return stdout.split(`${mark}\n`);
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

/** The files that a unified diff changes, changed. Each hunk's old lines must stand in the file exactly once. */
function apply(diff: string): Map<string, string> {
  const files = new Map<string, string>();
  let path = '';
  let hunk: string[] = [];
  const finish = (): void => {
    if (hunk.length === 0) return;
    const side = (drop: string): string =>
      hunk
        .filter((line) => !line.startsWith(drop))
        .map((line) => `${line.slice(1)}\n`)
        .join('');
    const before = files.get(path) ?? readFileSync(join(root, path), 'utf8');
    expect(before.split(side('+')).length - 1, `how often this stands in ${path}:\n${side('+')}`).toBe(1);
    files.set(
      path,
      before.replace(side('+'), () => side('-')),
    );
    hunk = [];
  };
  for (const line of diff.split('\n')) {
    if (line.startsWith('--- ')) continue;
    if (line.startsWith('+++ b/') || line.startsWith('@@')) finish();
    else hunk.push(line === '' ? ' ' : line);
    if (line.startsWith('+++ b/')) path = line.slice(6);
  }
  finish();
  return files;
}

const blocks = documents.flatMap(blocksOf);
const programs = programsOf(blocks);

test('every program compiles', () => {
  const files = new Map(programs.map(({ name, source }) => [`test/${name.replace(/\W/g, '-')}.ts`, source]));
  expect(diagnose(files)).toEqual([]);
});

describe('the program prints what the document says', () => {
  for (const program of programs) {
    test.concurrent(program.name, async () => {
      const parts = await run(program);
      for (const { part, block } of program.outputs) {
        const shown = (text: string) => (block.info.endsWith('roughly') ? text.replace(/\d/g, '#') : text);
        expect(shown(parts[part].trimEnd()), `the output at line ${block.line}`).toBe(shown(block.text));
      }
    });
  }
});

describe('the diff applies and compiles', () => {
  for (const { document, line, text } of blocks.filter(({ info }) => info === 'diff apply')) {
    test(`${document}:${line}`, () => {
      const files = apply(text);
      expect(files.size).toBeGreaterThan(0);
      expect(diagnose(new Map([...files].filter(([path]) => path.endsWith('.ts'))))).toEqual([]);
    });
  }
});

const trimmed = (text: string): string => text.replace(/^[ \t]+/gm, '');

describe('what is quoted stands in the file', () => {
  for (const { document, line, info, text } of blocks) {
    const path = /\bquote (\S+)$/.exec(info)?.[1];
    if (path === undefined) continue;
    test(`${document}:${line}: ${path}`, () => {
      expect(trimmed(readFileSync(join(root, path), 'utf8'))).toContain(trimmed(text));
    });
  }
});

test('every environment variable that is read is in the table of the README', () => {
  const read = new Set<string>();
  for (const folder of ['src', 'native', 'bench', 'CMakeLists.txt']) {
    for (const file of folder.includes('.') ? [''] : readdirSync(join(root, folder), { recursive: true })) {
      if (typeof file !== 'string' || (file !== '' && !/\.(ts|cpp|h|cu)$/.test(file))) continue;
      const text = readFileSync(join(root, folder, file), 'utf8');
      for (const [, name] of text.matchAll(/(?:env\['|getenv\("|environmentFlag\("|\$ENV\{)(THALWEG_\w+)/g))
        // Not the emulated device's, which is no part of the package: native/cuda/emulated/runtime.cpp lists them.
        if (!name.startsWith('THALWEG_CUDA_EMULATED_')) read.add(name);
    }
  }
  const table = readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^\| `(THALWEG_\w+)` +\|/gm);
  expect([...table].map(([, name]) => name).sort()).toEqual([...read].sort());
});

test('every npm script that the documents name exists, and so does every file they link to', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  const missing: string[] = [];
  for (const document of documents) {
    const text = readFileSync(join(root, document), 'utf8');
    for (const [, name] of text.matchAll(/npm run ([\w:-]+)/g)) if (!(name in scripts)) missing.push(`npm run ${name}`);
    for (const [, link] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      if (!existsSync(join(root, document, '..', link))) missing.push(`${document}: ${link}`);
    }
  }
  expect(missing).toEqual([]);
});

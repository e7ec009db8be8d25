// Compiles snippets with the project's settings and says what the compiler says.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const here = dirname(fileURLToPath(import.meta.url));

function settings(): ts.CompilerOptions {
  const path = join(here, '../../tsconfig.json');
  const { config } = ts.readConfigFile(path, (file) => ts.sys.readFile(file)) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(path));
  return { ...options, noEmit: true, noErrorTruncation: true, noUnusedLocals: false, noUnusedParameters: false };
}

// A program of the snippets and all that they import.
function programOf(snippets: Readonly<Record<string, string>>, options: ts.CompilerOptions): ts.Program {
  const files = new Map<string, string>();
  for (const name of Object.keys(snippets)) files.set(join(here, `${name}.snippet.ts`), snippets[name]);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists.call(host, path);
  host.readFile = (path) => files.get(path) ?? readFile.call(host, path);
  host.getSourceFile = (path, target, ...rest) => {
    const text = files.get(path);
    return text === undefined
      ? getSourceFile.call(host, path, target, ...rest)
      : ts.createSourceFile(path, text, target);
  };
  return ts.createProgram([...files.keys()], options, host);
}

/**
 * How many types the compiler instantiates to check a snippet alone, which is nearly all of the time that it takes, but the
 * same on each machine. What the snippet imports is not checked, as declarations in `node_modules` are not.
 */
export function instantiations(snippet: string): number {
  const program = programOf({ counted: snippet }, settings());
  const found = program.getSemanticDiagnostics(program.getSourceFile(join(here, 'counted.snippet.ts')));
  if (found.length > 0) throw new Error(ts.flattenDiagnosticMessageText(found[0].messageText, ' '));
  return program.getInstantiationCount();
}

/**
 * The compiler's messages for each snippet, as `line: message`, all lines of a message joined. The snippets are modules in
 * this folder, so they can import from it, and are compiled together, which costs the start of the compiler only once.
 *
 * @param snippets source text by name
 */
export function diagnose<Name extends string>(snippets: Readonly<Record<Name, string>>): Record<Name, string[]> {
  const program = programOf(snippets, settings());
  const result = {} as Record<Name, string[]>;
  for (const name of Object.keys(snippets)) {
    const source = program.getSourceFile(join(here, `${name}.snippet.ts`));
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    result[name as Name] = found.map((diagnostic) => {
      const line = source?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? 0;
      return `${line + 1}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ').replace(/\s+/g, ' ')}`;
    });
  }
  return result;
}

// Writes src/tensor/methods.ts: the methods of Tensor, from the functions of src/ops that are tagged @method.
//
// A function `f(x: Tensor<S, D>, ...rest)` becomes the method `f(this: Tensor<S, D>, ...rest)`, with its type parameters,
// overloads and documentation, so that there is one place where a signature is written. `@method name` renames it.
//
//   node scripts/methods.js           write
//   node scripts/methods.js --check   fail if the file is out of date
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';
import ts from 'typescript';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'src', 'ops');
const target = join(root, 'src', 'tensor', 'methods.ts');

const files = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && file !== 'index.ts')
  .sort();

/** @type {{ file: string, name: string, method: string, variadic: boolean, text: string[] }[]} */
const methods = [];
/** Type names used, by module: './x.js' relative to src/ops. @type {Map<string, Set<string>>} */
const imports = new Map();

for (const file of files) {
  const text = readFileSync(join(folder, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  /** Where each imported or declared type of this file comes from. @type {Map<string, string>} */
  const origins = new Map();
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement) && statement.importClause?.namedBindings) {
      const bindings = statement.importClause.namedBindings;
      if (ts.isNamedImports(bindings)) {
        for (const item of bindings.elements) origins.set(item.name.text, statement.moduleSpecifier.text);
      }
    }
    if (
      (ts.isInterfaceDeclaration(statement) ||
        ts.isTypeAliasDeclaration(statement) ||
        ts.isClassDeclaration(statement)) &&
      statement.name
    ) {
      origins.set(statement.name.text, `./${file.replace(/\.ts$/, '.js')}`);
    }
  }
  const functions = source.statements.filter(ts.isFunctionDeclaration);
  for (const name of new Set(functions.map((f) => f.name?.text))) {
    const declarations = functions.filter((f) => f.name?.text === name);
    const tag = declarations.flatMap((f) => ts.getJSDocTags(f)).find((t) => t.tagName.text === 'method');
    if (tag === undefined || name === undefined) continue;
    const renamed = typeof tag.comment === 'string' ? tag.comment.trim().split(/\s/)[0] : '';
    const method = renamed || name;
    // With overloads the implementation's signature is not public.
    const signatures = declarations.length > 1 ? declarations.filter((f) => f.body === undefined) : declarations;
    const doc = declarations
      .map((f) =>
        ts.getLeadingCommentRanges(text, f.pos)?.findLast((range) => text.slice(range.pos, range.pos + 3) === '/**'),
      )
      .find((range) => range !== undefined);
    const comment =
      doc === undefined
        ? ''
        : text
            .slice(doc.pos, doc.end)
            .replace(/\n \* @method[^\n]*/, '')
            .replace(/\n \*\n \*\//, '\n */');
    const lines = [];
    for (const f of signatures) {
      const first = f.parameters[0];
      if (first?.type === undefined) throw new Error(`${file}: ${name} has no typed first parameter`);
      // A function that also takes numbers first is a method of its tensor form only.
      if (!/^Tensor\b/.test(first.type.getText(source))) continue;
      const typeParameters = f.typeParameters ? `<${f.typeParameters.map((p) => p.getText(source)).join(', ')}>` : '';
      const rest = f.parameters.slice(1).map((p) => {
        const optional = p.questionToken !== undefined || p.initializer !== undefined;
        const type =
          p.type?.getText(source) ?? (p.initializer ? typeof JSON.parse(p.initializer.getText(source)) : 'unknown');
        return `${p.dotDotDotToken ? '...' : ''}${p.name.getText(source)}${optional ? '?' : ''}: ${type}`;
      });
      lines.push(
        `${method}${typeParameters}(${[`this: ${first.type.getText(source)}`, ...rest].join(', ')}): ${f.type?.getText(source) ?? 'void'};`,
      );
      const visit = (/** @type {ts.Node} */ node) => {
        if (ts.isTypeReferenceNode(node) && ts.isIdentifier(node.typeName)) {
          const origin = origins.get(node.typeName.text);
          if (origin !== undefined) {
            const set = imports.get(origin) ?? new Set();
            imports.set(origin, set.add(node.typeName.text));
          }
        }
        ts.forEachChild(node, visit);
      };
      for (const part of [...(f.typeParameters ?? []), ...f.parameters, f.type]) if (part) visit(part);
    }
    const variadic = signatures.some((f) => f.parameters.some((p) => p.dotDotDotToken));
    if (signatures.some((f) => f.parameters.length > 5))
      throw new Error(`${file}: ${name} has more than 5 parameters, see install.ts`);
    methods.push({ file, name, method, variadic, text: lines.map((line) => `${comment}\n${line}`) });
  }
}

methods.sort((a, b) => (a.method < b.method ? -1 : 1));
// `Shape` is exported by two modules.
imports.get('../shape.js')?.delete('Shape');
// Relative to src/ops in the sources, to src/tensor here.
const moved = (/** @type {string} */ module) =>
  module === '../tensor/tensor.js' ? './tensor.js' : module.startsWith('./') ? `../ops/${module.slice(2)}` : module;
const importLines = [...imports]
  .filter(([, names]) => names.size > 0)
  .map(([module, names]) => ({ module: moved(module), names: [...names].sort() }))
  .sort((a, b) => (a.module < b.module ? -1 : 1))
  .map(({ module, names }) => `import type { ${names.join(', ')} } from '${module}';`);

const output = `// Written by scripts/methods.js from the functions of src/ops tagged @method. Do not edit: edit the function, then run
// npm run methods.
${importLines.join('\n')}
import * as ops from '../ops/index.js';

/** The methods that Tensor has from the ops: \`x.f(...)\` is \`f(x, ...)\`. */
export interface OpMethods {
${methods.flatMap((m) => m.text).join('\n\n')}
}

/** Method names and the functions behind them. */
export const opMethods: Readonly<Record<keyof OpMethods, (...args: never[]) => unknown>> = {
${methods.map((m) => `${m.method}: ops.${m.name},`).join('\n')}
};

/** Those that take any number of arguments. */
export const variadicMethods: ReadonlySet<string> = new Set([${methods
  .filter((m) => m.variadic)
  .map((m) => `'${m.method}'`)
  .join(', ')}]);
`;

const config = await prettier.resolveConfig(target);
const formatted = await prettier.format(output, { ...config, parser: 'typescript' });
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== formatted) {
    console.error('src/tensor/methods.ts is out of date; run npm run methods.');
    process.exit(1);
  }
} else {
  writeFileSync(target, formatted);
}

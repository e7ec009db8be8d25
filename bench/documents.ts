// Tables in documents, made of committed results:
//
//   <!-- bench results/1-thread.json ^mlp/ -->
//   (provenance and table; the pattern may be left out)
//   <!-- end bench -->
//
// Notes on what bounds a row are beside the results, in NAME.notes.json: {"row": "text"}.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from './peers.js';
import { readResults } from './results.js';
import { markdownTable, type Notes, provenance } from './table.js';

/** The documents that have tables. */
export const documents = ['README.md', 'docs/benchmarks.md'] as const;

const block = /(<!-- bench (\S+\.json)(?: (\S+))? -->\n)[^]*?(<!-- end bench -->)/g;

/** A document with its tables made anew. */
export async function renderDocument(text: string): Promise<string> {
  let result = '';
  let end = 0;
  for (const match of text.matchAll(block)) {
    const [whole, open, file, pattern, close] = match;
    const path = join(packageRoot, 'bench', file);
    const results = await readResults(path);
    const table = markdownTable(results, await readNotes(path), new RegExp(pattern ?? ''));
    result += `${text.slice(end, match.index)}${open}\n${table}\n\n${provenance(results)}\n\n${close}`;
    end = match.index + whole.length;
  }
  return result + text.slice(end);
}

/** The notes beside a file of results, if there are any. */
export async function readNotes(file: string): Promise<Notes> {
  const path = file.replace(/\.json$/, '.notes.json');
  return existsSync(path) ? (JSON.parse(await readFile(path, 'utf8')) as Notes) : {};
}

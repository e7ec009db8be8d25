// Writes the tables of the documents anew: npm run bench:table
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { documents, renderDocument } from './documents.js';
import { packageRoot } from './peers.js';

for (const name of documents) {
  const path = join(packageRoot, name);
  const before = await readFile(path, 'utf8');
  const after = await renderDocument(before);
  if (after !== before) await writeFile(path, after);
  console.log(`${name}: ${after === before ? 'as it was' : 'written'}`);
}

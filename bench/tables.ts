// Writes the tables of the documents anew: npm run bench:table
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { documents, renderDocument } from './documents.js';
import { packageRoot } from './peers.js';
import { programDocuments, programResultsFile, readProgramResults, renderPrograms } from './programResults.js';

const programs = existsSync(programResultsFile) ? await readProgramResults() : undefined;
for (const name of new Set([...documents, ...programDocuments])) {
  const path = join(packageRoot, name);
  const before = await readFile(path, 'utf8');
  const rendered = await renderDocument(before);
  const after = programs === undefined ? rendered : renderPrograms(rendered, programs);
  if (after !== before) await writeFile(path, after);
  console.log(`${name}: ${after === before ? 'as it was' : 'written'}`);
}

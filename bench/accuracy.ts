// Prints the table of docs/accuracy.md: npm run accuracy [-- COUNT]
import { measured, worst } from './ulp.js';

const count = Number(process.argv[2] ?? 1_000_000);
console.log('| float32 function | worst ulp | at |');
console.log('| --- | --- | --- |');
for (const item of measured) {
  const { error, at } = worst(item, count);
  console.log(`| ${item.name} | ${error.toFixed(2)} | ${Number.isNaN(at) ? '' : Number(at.toPrecision(7))} |`);
}

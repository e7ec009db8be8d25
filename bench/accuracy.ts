// Prints the tables of docs/accuracy.md and docs/convolution.md: npm run accuracy [-- COUNT]
import { convErrors } from './convError.js';
import { measured, worst } from './ulp.js';

const count = Number(process.argv[2] ?? 1_000_000);
console.log('| float32 function | worst ulp | at |');
console.log('| --- | --- | --- |');
for (const item of measured) {
  const { error, at } = worst(item, count);
  console.log(`| ${item.name} | ${error.toFixed(2)} | ${Number.isNaN(at) ? '' : Number(at.toPrecision(7))} |`);
}

// The table of docs/convolution.md.
console.log('\n| convolution | forward | gradient of the input | gradient of the weight |');
console.log('| --- | --- | --- | --- |');
for (const { what, winograd, direct } of convErrors()) {
  const pairs = winograd.map((error, i) => `${error.toExponential(1)} (${direct[i].toExponential(1)})`);
  console.log(`| ${what} | ${pairs.join(' | ')} |`);
}

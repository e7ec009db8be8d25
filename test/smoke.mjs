// A user's program: only the public API, plain JavaScript. It is run by every runtime of test/runtimes.test.ts and on the
// installed tarball (scripts/pack-smoke.sh, which also compiles it as TypeScript). Prints one line; exits with 1 if the
// model does not learn.
import { manualSeed, memory, nn, optim, tensor, tidy } from 'thalweg';

manualSeed(1);
const inputs = [];
const labels = [];
for (let i = 0; i < 64; i++) {
  const x = Math.cos(i * 12.9898);
  const y = Math.sin(i * 78.233);
  inputs.push([x, y]);
  labels.push(x * y > 0 ? 1 : 0);
}
const x = tensor(inputs);
const y = tensor(labels, { dtype: 'int64' });
const model = new nn.Sequential(new nn.Linear(2, 32), new nn.ReLU(), new nn.Linear(32, 2));
const optimizer = new optim.SGD(model.parameters(), { lr: 0.3, momentum: 0.9 });

let first = 0;
let last = 0;
for (let step = 0; step < 100; step++) {
  last = tidy(() => {
    const loss = nn.functional.crossEntropy(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss.itemSync();
  });
  if (step === 0) first = last;
}
const predictions = await model.forward(x).argmax(1).data();
const right = labels.filter((label, i) => Number(predictions[i]) === label).length;

const { process } = globalThis;
const runtime = process.versions.bun ? `bun ${process.versions.bun}` : `node ${process.version}`;
console.log(
  `${runtime}: loss ${first.toFixed(3)} -> ${last.toFixed(3)}, ${right} of 64 right, ${memory().tensors} tensors`,
);
process.exitCode = last < 0.1 && right >= 62 ? 0 : 1;

// Sources of long models, to see what they cost the compiler.

const prelude = `import { nn, randn, type Tensor } from '../../src/index.js';\n`;

/** Twenty blocks of convolution, normalisation and activation, with sizes that all differ. */
export function convolutional(): string {
  const layers: string[] = [];
  let channels = 3;
  for (let i = 0; i < 20; i++) {
    const next = 16 + 4 * i;
    layers.push(
      `new nn.Conv2d(${channels}, ${next}, 3, { padding: 1, stride: ${i % 5 === 4 ? 2 : 1} })`,
      `new nn.BatchNorm2d(${next})`,
      'new nn.ReLU()',
    );
    channels = next;
  }
  return `${prelude}const model = new nn.Sequential(${layers.join(',\n')});
export const y: readonly [8, ${channels}, 14, 14] = model.forward(randn([8, 3, 224, 224])).shape;
`;
}

/** Thirty linear layers, each with an activation or dropout behind it. */
export function dense(): string {
  const layers = Array.from(
    { length: 30 },
    (_, i) => `new nn.Linear(${100 + i}, ${101 + i}), ${i % 2 ? 'new nn.Dropout(0.1)' : 'new nn.GELU()'}`,
  );
  return `${prelude}const model = new nn.Sequential(${layers.join(',\n')});
export const y: readonly [8, 130] = model.forward(randn([8, 100])).shape;
`;
}

/** A class with sixty layers, linear, recurrent and normalising, behind a transformer block, and a forward written out. */
export function written(): string {
  const fields: string[] = [];
  const lines: string[] = [];
  for (let i = 0; i < 60; i += 3) {
    const n = 64 + i;
    fields.push(
      `linear${i} = new nn.Linear(${n}, ${n + 1});`,
      `lstm${i} = new nn.LSTM(${n + 1}, ${n + 2}, { batchFirst: true });`,
      `norm${i} = new nn.LayerNorm(${n + 2});`,
    );
    lines.push(
      `const a${i} = nn.functional.relu(this.linear${i}.forward(x${i}));`,
      `const [b${i}] = this.lstm${i}.forward(a${i});`,
      `const x${i + 3} = this.norm${i}.forward(b${i}).matmul(randn([${n + 2}, ${n + 3}])).add(1);`,
    );
  }
  return `${prelude}class Block extends nn.Module {
  norm1 = new nn.LayerNorm(64);
  attention = new nn.MultiheadAttention(64, 4, { batchFirst: true });
  norm2 = new nn.LayerNorm(64);
  up = new nn.Linear(64, 256);
  down = new nn.Linear(256, 64);
  forward(x: Tensor<readonly [number, number, 64], 'float32'>): Tensor<readonly [number, number, 64], 'float32'> {
    const h = this.norm1.forward(x);
    const y = x.add(this.attention.forward(h, h, h)[0]);
    return y.add(this.down.forward(nn.functional.gelu(this.up.forward(this.norm2.forward(y)))));
  }
}
class Model extends nn.Module {
${fields.join('\n')}
  block = new Block();
  forward(x: Tensor<readonly [8, 16, 64], 'float32'>) {
    const x0 = this.block.forward(x);
    ${lines.join('\n')}
    return x60.mean(1);
  }
}
export const y: readonly [number, 124] = new Model().forward(randn([8, 16, 64])).shape;
`;
}

// A recurrent layer by itself.
import { grad, nn, randn } from 'thalweg';
import * as flops from '../models/flops.js';
import { repeat } from './repeat.js';
import type { Row } from './row.js';

const [batch, steps, inputs, hidden] = [64, 200, 128, 64] as const;

function recurrent(name: string, gates: number, make: () => nn.LSTM | nn.GRU): Row {
  return {
    name: `${name}/64x200/128-64`,
    what: `nn.${name.toUpperCase()}(${inputs}, ${hidden}), ${steps} steps, batch ${batch}, forward and backward`,
    unit: 'ms',
    flops: 3 * flops.recurrent(batch, steps, inputs, hidden, gates),
    prepare() {
      const layer = make();
      const x = randn([steps, batch, inputs], { requiresGrad: true });
      const g = randn([steps, batch, hidden]);
      const wanted = [x, ...layer.parameters()];
      return repeat(() => grad(layer.forward(x)[0], wanted, { gradOutputs: [g] }));
    },
  };
}

export const recurrentRows: readonly Row[] = [
  recurrent('lstm', 4, () => new nn.LSTM(inputs, hidden)),
  recurrent('gru', 3, () => new nn.GRU(inputs, hidden)),
];

// Recurrent layers by themselves.
import { grad, nn, randn } from 'thalweg';
import * as flops from '../models/flops.js';
import { repeat } from './repeat.js';
import type { Row } from './row.js';

const kinds = { lstm: { gates: 4, Layer: nn.LSTM }, gru: { gates: 3, Layer: nn.GRU } } as const;
const batch = 64;

function recurrent(
  kind: keyof typeof kinds,
  steps: number,
  inputs: number,
  hidden: number,
  numLayers = 1,
  only?: 'cuda',
): Row {
  const { gates, Layer } = kinds[kind];
  const layers = numLayers > 1 ? `, ${numLayers} layers` : '';
  const of = (features: number): number => flops.recurrent(batch, steps, features, hidden, gates);
  return {
    name: `${kind}/${batch}x${steps}/${inputs}-${hidden}${numLayers > 1 ? `x${numLayers}` : ''}`,
    what: `nn.${kind.toUpperCase()}(${inputs}, ${hidden})${layers}, ${steps} steps, batch ${batch}, forward and backward`,
    unit: 'ms',
    ...(only === undefined ? {} : { only }),
    flops: 3 * (of(inputs) + (numLayers - 1) * of(hidden)),
    prepare() {
      const layer: nn.LSTM | nn.GRU = new Layer(inputs, hidden, { numLayers });
      const x = randn([steps, batch, inputs], { requiresGrad: true });
      const g = randn([steps, batch, hidden]);
      const wanted = [x, ...layer.parameters()];
      return repeat(() => grad(layer.forward(x)[0], wanted, { gradOutputs: [g] }));
    },
  };
}

export const recurrentRows: readonly Row[] = [
  recurrent('lstm', 200, 128, 64),
  recurrent('gru', 200, 128, 64),
  // Large enough for a GPU. THALWEG_CUDNN=0 shows Thalweg's own kernels.
  recurrent('lstm', 100, 512, 512, 2, 'cuda'),
  recurrent('gru', 100, 512, 512, 2, 'cuda'),
];

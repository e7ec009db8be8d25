// Convolutions, forward and backward. As in PyTorch's rows, images and gradients come channels-last, which is what either
// computes in; a chain of layers keeps them so.
import { contiguous, grad, nn, randn, tidy, type Tensor } from 'thalweg';
import * as flops from '../models/flops.js';
import { repeat } from './repeat.js';
import type { Row } from './row.js';

interface Geometry {
  readonly name: string;
  readonly batch: number;
  readonly channels: readonly [inputs: number, outputs: number];
  readonly size: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly groups?: number;
  /** A first layer: nobody wants its input's gradient. */
  readonly first?: boolean;
}

function convolution({ name, batch, channels, size, kernel, stride = 1, groups = 1, first = false }: Geometry): Row {
  const [inputs, outputs] = channels;
  const out = size / stride;
  return {
    name,
    what:
      `${kernel}x${kernel} convolution of [${batch}, ${inputs}, ${size}, ${size}] to ${outputs} channels` +
      `${stride === 1 ? '' : `, stride ${stride}`}${groups === 1 ? '' : `, ${groups} groups`}, forward and backward` +
      `${first ? ' (weights only)' : ''}`,
    unit: 'ms',
    flops: (first ? 2 : 3) * flops.conv(batch, inputs / groups, outputs, kernel, out),
    // x and y once forward; x, g and the gradient of x backward.
    bytes: 4 * batch * ((first ? 2 : 3) * inputs * size ** 2 + 2 * outputs * out ** 2),
    prepare() {
      const layer = new nn.Conv2d(inputs, outputs, kernel, { padding: (kernel - 1) / 2, stride, groups });
      const images = (shape: readonly [number, number, number, number]): Tensor =>
        contiguous(randn(shape), { memoryFormat: 'channelsLast' });
      const x = images([batch, inputs, size, size]).detach();
      x.requiresGrad = !first;
      const g = images([batch, outputs, out, out]);
      const wanted = [...(first ? [] : [x]), ...layer.parameters()];
      // The result is disposed of with everything else, as Python does with what no variable holds.
      return repeat(() => tidy(() => grad(layer.forward(x), wanted, { gradOutputs: [g] })));
    },
  };
}

const square = (batch: number, inputs: number, outputs: number, size: number): Row =>
  convolution({ name: `conv3x3/${inputs}-${outputs}@${size}`, batch, channels: [inputs, outputs], size, kernel: 3 });

export const convRows: readonly Row[] = [
  convolution({ name: 'conv3x3/3-32@32', batch: 128, channels: [3, 32], size: 32, kernel: 3, first: true }),
  // Direct: few channels, or a stride.
  square(32, 16, 32, 32),
  convolution({ name: 'conv3x3/64-128@32s2', batch: 32, channels: [64, 128], size: 32, kernel: 3, stride: 2 }),
  // Winograd sizes.
  square(128, 32, 64, 16),
  square(32, 64, 64, 32),
  square(32, 128, 128, 16),
  square(32, 256, 256, 8),
  convolution({ name: 'conv1x1/256-64@16', batch: 32, channels: [256, 64], size: 16, kernel: 1 }),
  convolution({ name: 'depthwise3x3/128@16', batch: 32, channels: [128, 128], size: 16, kernel: 3, groups: 128 }),
];

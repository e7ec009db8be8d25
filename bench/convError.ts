// How far float32 convolutions are from float64 ones, with and without Winograd's algorithm.
import { conv2d, grad, manualSeed, randn, setConvWinograd, synchronize, type Tensor } from 'thalweg';

interface Shape {
  readonly images: number;
  readonly channels: number;
  readonly size: number;
  readonly out: number;
  readonly kernel: number;
  readonly stride: number;
}

const shapes: readonly Shape[] = [
  { images: 32, channels: 64, size: 32, out: 64, kernel: 3, stride: 1 },
  { images: 32, channels: 256, size: 8, out: 256, kernel: 3, stride: 1 },
  { images: 64, channels: 64, size: 16, out: 128, kernel: 4, stride: 2 },
];

/** The largest error of a convolution and of its two gradients, relative to the largest result of each. */
export interface ConvError {
  readonly what: string;
  readonly winograd: readonly number[];
  readonly direct: readonly number[];
}

// Result and gradients, of standard normal inputs and weights scaled as layers start with.
function results({ images, channels, size, out, kernel, stride }: Shape, dtype: 'float32' | 'float64'): Tensor[] {
  manualSeed(7);
  const scale = 1 / Math.sqrt(channels * kernel * kernel);
  const x = randn([images, channels, size, size]).to(dtype).requiresGrad_(true);
  const weight = randn([out, channels, kernel, kernel]).mul(scale).to(dtype).detach().requiresGrad_(true);
  const y: Tensor = conv2d(x, weight, null, { stride, padding: 1 });
  const g = randn(y.shape).to(dtype);
  return [y, ...grad(y.mul(g).sum(), [x, weight])];
}

function errors(shape: Shape): number[] {
  const exact = results(shape, 'float64');
  const errors = results(shape, 'float32').map((result, i) =>
    Number(result.to('float64').sub(exact[i]).abs().max().div(exact[i].abs().max()).itemSync()),
  );
  synchronize();
  return errors;
}

export function convErrors(): ConvError[] {
  return shapes.map((shape) => {
    const { images, channels, size, out, kernel, stride } = shape;
    const what = `${kernel}x${kernel}, stride ${stride}: [${images}, ${channels}, ${size}, ${size}] to ${out} channels`;
    const before = setConvWinograd(true);
    try {
      const winograd = errors(shape);
      setConvWinograd(false);
      return { what, winograd, direct: errors(shape) };
    } finally {
      setConvWinograd(before);
    }
  });
}

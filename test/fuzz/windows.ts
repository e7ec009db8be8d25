// Which elements of a plane of 1 to 3 spatial dimensions meet which taps of a window: what convolutions and pools share.
import type { Random } from './random.js';

/** The geometry of windows over planes; one number per spatial dimension. */
export interface Windows {
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly output: readonly number[];
}

/** The positions of a window along one dimension. */
export const positions = (input: number, kernel: number, stride: number, padding: number, dilation: number): number =>
  Math.floor((input + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;

/** Random windows over planes of about `area` elements, with at least one position. */
export function randomWindows(random: Random, spatial: number, area: number, maxKernel: number): Windows {
  const input: number[] = [];
  const kernel: number[] = [];
  const stride: number[] = [];
  const padding: number[] = [];
  const dilation: number[] = [];
  const usual = random.chance(0.4);
  let left = area;
  for (let d = 0; d < spatial; d++) {
    const k = usual && maxKernel >= 3 ? 3 : random.int(1, maxKernel);
    const step = usual ? 1 : random.pick([1, 1, 1, 2, 2, 3]);
    const gap = usual || k === 1 ? 1 : random.pick([1, 1, 1, 2, 3]);
    const pad = usual ? random.int(0, 1) : random.int(0, 2);
    const least = Math.max(1, gap * (k - 1) + 1 - 2 * pad);
    const size = Math.max(least, random.size(Math.max(least, left), 1));
    left = Math.max(1, Math.floor(left / size));
    input.push(size);
    kernel.push(k);
    stride.push(step);
    padding.push(pad);
    dilation.push(gap);
  }
  const output = input.map((size, d) => positions(size, kernel[d], stride[d], padding[d], dilation[d]));
  return { input, kernel, stride, padding, dilation, output };
}

/** Calls `visit` for each (position, tap, element) that meet, all numbered in row-major order. */
export function forEachMeeting(w: Windows, visit: (position: number, tap: number, element: number) => void): void {
  const at = (list: readonly number[], d: number, missing: number): number =>
    d < 3 - list.length ? missing : list[d - (3 - list.length)];
  const [input, kernel, stride, padding, dilation, output] = [
    [0, 1, 2].map((d) => at(w.input, d, 1)),
    [0, 1, 2].map((d) => at(w.kernel, d, 1)),
    [0, 1, 2].map((d) => at(w.stride, d, 1)),
    [0, 1, 2].map((d) => at(w.padding, d, 0)),
    [0, 1, 2].map((d) => at(w.dilation, d, 1)),
    [0, 1, 2].map((d) => at(w.output, d, 1)),
  ];
  let position = 0;
  for (let p0 = 0; p0 < output[0]; p0++)
    for (let p1 = 0; p1 < output[1]; p1++)
      for (let p2 = 0; p2 < output[2]; p2++, position++) {
        let tap = 0;
        for (let t0 = 0; t0 < kernel[0]; t0++)
          for (let t1 = 0; t1 < kernel[1]; t1++)
            for (let t2 = 0; t2 < kernel[2]; t2++, tap++) {
              const i0 = p0 * stride[0] - padding[0] + t0 * dilation[0];
              const i1 = p1 * stride[1] - padding[1] + t1 * dilation[1];
              const i2 = p2 * stride[2] - padding[2] + t2 * dilation[2];
              const inside = i0 >= 0 && i0 < input[0] && i1 >= 0 && i1 < input[1] && i2 >= 0 && i2 < input[2];
              if (inside) visit(position, tap, (i0 * input[1] + i1) * input[2] + i2);
            }
      }
}

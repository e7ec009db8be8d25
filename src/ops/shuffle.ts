// Rearrangements between channels and space.
import type { DType } from '../dtype.js';
import { ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensor } from './define.js';
import { permute, reshape } from './view.js';
import { readCount } from './geometry.js';

function rearrange<D extends DType>(
  x: Tensor<Shape, D>,
  parts: Shape,
  order: readonly number[],
  result: Shape,
): Tensor<Shape, D> {
  return tidy(() => reshape(permute(reshape(x, parts), order), result));
}

function checkImages(op: string, x: Tensor): { lead: Shape; batch: number; sizes: readonly [number, number, number] } {
  checkTensor(op, 'x', x);
  if (x.shape.length < 3) throw new ShapeError(`${op}: x must be [..., C, H, W], got shape ${formatShape(x.shape)}.`);
  const lead = x.shape.slice(0, -3);
  const [c, h, w] = x.shape.slice(-3) as [number, number, number];
  return { lead, batch: lead.reduce((n, size) => n * size, 1), sizes: [c, h, w] };
}

/**
 * Makes images larger by taking each pixel's r x r block from as many channels (Shi et al. 2016).
 *
 * Shapes: `[..., C r^2, H, W] -> [..., C, H r, W r]`.
 *
 * @throws ShapeError if the channels are no multiple of r^2, ArgumentError unless r >= 1
 * @example
 * pixelShuffle(randn([1, 8, 4, 4]), 2).shape; // [1, 2, 8, 8]
 */
export function pixelShuffle<D extends DType>(x: Tensor<Shape, D>, upscaleFactor: number): Tensor<Shape, D> {
  const { lead, batch, sizes } = checkImages('pixelShuffle', x);
  const r = readCount('pixelShuffle', 'upscaleFactor', upscaleFactor);
  const [c, h, w] = sizes;
  if (c % (r * r) !== 0) {
    throw new ShapeError(
      `pixelShuffle(x ${formatShape(x.shape)}): ${c} channels are no multiple of upscaleFactor^2 = ${r * r}.`,
    );
  }
  const channels = c / (r * r);
  return rearrange(x, [batch, channels, r, r, h, w], [0, 1, 4, 2, 5, 3], [...lead, channels, h * r, w * r]);
}

/**
 * The inverse of `pixelShuffle`: r x r blocks of pixels become channels.
 *
 * Shapes: `[..., C, H r, W r] -> [..., C r^2, H, W]`.
 *
 * @throws ShapeError if height or width are no multiple of r, ArgumentError unless r >= 1
 */
export function pixelUnshuffle<D extends DType>(x: Tensor<Shape, D>, downscaleFactor: number): Tensor<Shape, D> {
  const { lead, batch, sizes } = checkImages('pixelUnshuffle', x);
  const r = readCount('pixelUnshuffle', 'downscaleFactor', downscaleFactor);
  const [c, h, w] = sizes;
  if (h % r !== 0 || w % r !== 0) {
    throw new ShapeError(
      `pixelUnshuffle(x ${formatShape(x.shape)}): ${h % r !== 0 ? `height ${h}` : `width ${w}`} is no multiple of downscaleFactor = ${r}.`,
    );
  }
  const parts = [batch, c, h / r, r, w / r, r];
  return rearrange(x, parts, [0, 1, 3, 5, 2, 4], [...lead, c * r * r, h / r, w / r]);
}

/**
 * Deals the channels of groups out in turns: channel `g * (C / groups) + i` becomes channel `i * groups + g` (Zhang et al.
 * 2018, ShuffleNet).
 *
 * Shapes: `[N, C, ...]`, at least 3 dimensions, unchanged.
 *
 * @throws ShapeError if the channels cannot be divided into groups, ArgumentError unless groups >= 1
 */
export function channelShuffle<S extends Shape, D extends DType>(x: Tensor<S, D>, groups: number): Tensor<S, D> {
  checkTensor('channelShuffle', 'x', x);
  readCount('channelShuffle', 'groups', groups);
  const call = `channelShuffle(x ${formatShape(x.shape)})`;
  if (x.shape.length < 3) throw new ShapeError(`${call}: x must be [N, C, ...] with 3 dimensions or more.`);
  const [batch, channels, ...rest] = x.shape as unknown as readonly [number, number, ...number[]];
  if (channels % groups !== 0) {
    throw new ShapeError(`${call}: ${channels} channels cannot be divided into ${groups} groups.`);
  }
  const pixels = rest.reduce((n, size) => n * size, 1);
  const parts = [batch, groups, channels / groups, pixels];
  return rearrange(x as Tensor<Shape, D>, parts, [0, 2, 1, 3], x.shape) as Tensor<S, D>;
}

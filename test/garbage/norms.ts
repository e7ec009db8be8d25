// Normalisations and softmax.
import type { Makers, Operands } from './operands.js';

function rowNorm({ random, scalar, plain, maybe }: Operands, name: string): unknown[] {
  const float = random(2);
  const [runs, inner, items] = [random(12), random(20), random(6)];
  const groups = 1 + random(3);
  const channels = [runs * groups];
  const x = [items * groups, runs * inner];
  const rows = [items * groups];
  const step = random(20) === 0 ? scalar() : inner;
  return name === 'normalizeRows'
    ? [
        ...[plain(x, float), maybe(rows, float), plain(rows, float), plain(x, float)],
        ...[maybe(channels, float), maybe(channels, float), step, 1e-5],
      ]
    : [
        ...[maybe(x, float), maybe(channels, float), maybe(channels, float), plain(x, float)],
        ...[plain(x, float), maybe(rows, float), plain(rows, float), maybe(channels, float), step],
      ];
}

function groupNorm({ random, scalar, plain, maybe, image, maybeImage }: Operands, name: string): unknown[] {
  const float = random(2);
  const groups = 1 + random(3);
  const x = [random(4), groups * (1 + random(random(4) === 0 ? 20 : 3)), random(6), 1 + random(4)];
  const c = [x[1]];
  const rows = [x[0] * groups];
  const divided = random(20) === 0 ? scalar() : groups;
  return name === 'normalizeGroups'
    ? [
        ...[image(x, float), plain(rows, float), plain(rows, float), image(x, float)],
        ...[maybe(c, float), maybe(c, float), divided, 1e-5],
      ]
    : [
        ...[maybeImage(x, float), maybe(c, float), maybe(c, float), image(x, float), image(x, float)],
        ...[plain(rows, float), plain(rows, float), maybe(c, float), divided],
      ];
}

function channelNorm({ random, plain, maybe, image, maybeImage }: Operands, name: string): unknown[] {
  const float = random(2);
  const x = [random(random(8) === 0 ? 80 : 6), random(random(4) === 0 ? 20 : 4), random(random(4) === 0 ? 50 : 4)];
  const c = [x[1]];
  return name === 'batchNorm'
    ? [
        ...[image(x, float), plain(c, float), plain(c, float), image(x, float)],
        ...[maybe(c, float), maybe(c, float), 1e-5],
      ]
    : [
        ...[maybeImage(x, float), maybe(c, float), maybe(c, float), image(x, float), image(x, float)],
        ...[plain(c, float), plain(c, float), maybe(c, float), 1e-5],
      ];
}

function batchNormGiven({ random, plain, maybe, image }: Operands): unknown[] {
  const float = random(2);
  const x = [random(6), random(random(4) === 0 ? 20 : 4), random(random(4) === 0 ? 50 : 4)];
  const c = [x[1]];
  return [
    ...[image(x, float), image(x, float), plain(c, float), plain(c, float)],
    ...[maybe(c, float), maybe(c, float), 1e-5],
  ];
}

export const norms: Makers = {
  normalizeRows: rowNorm,
  normalizeRowsBackward: rowNorm,
  normalizeGroups: groupNorm,
  normalizeGroupsBackward: groupNorm,
  batchNorm: channelNorm,
  batchNormBackward: channelNorm,
  batchNormGiven,
  softmax: ({ random, dim, operand }) => [operand(true), operand(true), dim(), random(2) === 0],
  softmaxBackward: ({ random, dim, operand }) => [operand(true), operand(true), operand(true), dim(), random(2) === 0],
};

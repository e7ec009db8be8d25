// Attention.
import type { Makers, Operands } from './operands.js';

function attentionPass({ random, scalar, operand, plain }: Operands, name: string): unknown[] {
  const float = random(2);
  const [B, Hk, group, L, S, E, V] = [
    random(3),
    1 + random(2),
    1 + random(2),
    random(9),
    random(9),
    1 + random(9),
    1 + random(9),
  ];
  const H = Hk * group;
  const of = (...shape: number[]): number => (random(8) === 0 ? operand(true, float, shape) : plain(shape, float));
  const q = (): number => of(B, H, L, E);
  const k = (): number => of(B, Hk, S, E);
  const v = (): number => of(B, Hk, S, V);
  const out = (): number => of(B, H, L, V);
  const sums = of(B, H, L);
  const some = (handle: number): number => (random(4) === 0 ? 0 : handle);
  const maskDType = random(2) === 0 ? 7 : float;
  const mask = random(2) === 0 ? 0 : operand(true, maskDType, [B, H, L, S]);
  const seed = random(10) === 0 ? scalar() : BigInt(random(1000));
  const end = [mask, random(3) === 0];
  const numbers = [0.5, [0, 0.3, 1, NaN, -1][random(5)], seed, random(100)];
  return name === 'attention'
    ? [out(), sums, q(), k(), v(), ...end, ...numbers]
    : [
        ...[some(q()), some(k()), some(v()), random(3) === 0 ? of(B, H, L, S) : 0, out()],
        ...[q(), k(), v(), mask, out(), sums, end[1], ...numbers],
      ];
}

export const attentions: Makers = {
  attention: attentionPass,
  attentionBackward: attentionPass,
};

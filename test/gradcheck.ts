// Gradients against differences: f's directional derivative by a four-point stencil, in float64, against the one from
// autograd, along a few fixed directions through all inputs at once.
import { fromTypedArray, grad, mul, noGrad, sum, tidy, zeros, type Tensor } from 'thalweg';

/** A function of tensors, with one or several results. */
export type Differentiable = (inputs: readonly Tensor[]) => Tensor | readonly Tensor[];

// Error of the stencil: h^4 times the fifth derivative / 30. 2h stays below the distance of the samples' inputs to kinks.
const h = 2 ** -12;
const directions = 2;

// Directions need not be random, only in general position.
function directionOf(x: Tensor, seed: number): Tensor {
  let state = seed * 2654435761 + 12345;
  const values = Float64Array.from({ length: x.numel }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return fromTypedArray(values, x.shape);
}

/** The value of a scalar function of the inputs, whose floats in `variable` are moved by `step` along the direction. */
function shifted(
  f: (inputs: readonly Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  along: readonly (Tensor | null)[],
  step: number,
): number {
  return tidy(() => {
    const moved = inputs.map((x, i) => {
      const u = along[i];
      return u === null
        ? x
        : noGrad(() => x.add(u.mul(step)))
            .detach()
            .requiresGrad_(x.requiresGrad);
    });
    return Number(f(moved).itemSync());
  });
}

function dot(a: Tensor | null, u: Tensor): number {
  return a === null ? 0 : Number(sum(mul(a.detach(), u)).itemSync());
}

/**
 * Compares the gradients of a scalar function with differences.
 *
 * @param inputs float64 tensors that require gradients are varied, others are constants
 * @param tolerance relative to 1 + the size of the derivative
 * @throws Error naming the direction and both values
 */
export function checkScalar(
  label: string,
  f: (inputs: readonly Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  tolerance: number,
): void {
  const variable = inputs.filter((x) => x.requiresGrad);
  const value = f(inputs);
  const grads: readonly (Tensor | null)[] = value.requiresGrad
    ? grad(value, variable, { allowUnused: true })
    : variable.map(() => null);
  for (let k = 1; k <= directions; k++) {
    const along = inputs.map((x, i) => (x.requiresGrad ? directionOf(x, k * 100 + i) : null));
    const moves = along.filter((u): u is Tensor => u !== null);
    const analytic = moves.reduce((total, u, i) => total + dot(grads[i], u), 0);
    const at = (step: number): number => shifted(f, inputs, along, step);
    const numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    if (!(Math.abs(analytic - numeric) <= tolerance * (1 + Math.abs(numeric)))) {
      throw new Error(`${label}: the derivative along direction ${k} is ${analytic}, by differences ${numeric}`);
    }
  }
}

const list = (value: Tensor | readonly Tensor[]): readonly Tensor[] =>
  Array.isArray(value) ? value : [value as Tensor];

/** The sum of the products of f's differentiable results with fixed cotangents: a scalar with the gradient to check. */
function project(f: Differentiable, inputs: readonly Tensor[], cotangents: readonly Tensor[]): Tensor | null {
  const outs = list(f(inputs)).filter((out) => out.dtype === 'float64');
  return outs
    .map((out, i) => sum(mul(out, cotangents[i])))
    .reduce<Tensor | null>((total, term) => (total === null ? term : total.add(term)), null);
}

/** Checks f's gradients with respect to the inputs that require them. */
export function gradcheck(
  label: string,
  f: Differentiable,
  inputs: readonly Tensor[],
  cotangents: readonly Tensor[],
  tolerance = 1e-8,
): void {
  checkScalar(`${label}, gradient`, (xs) => project(f, xs, cotangents)!, inputs, tolerance);
}

/** Checks the gradients of f's gradients, with respect to the inputs and to the cotangents. */
export function gradgradcheck(
  label: string,
  f: Differentiable,
  inputs: readonly Tensor[],
  cotangents: readonly Tensor[],
  tolerance = 1e-7,
): void {
  const split = inputs.length;
  const weights = inputs.map((x, i) => (x.requiresGrad ? directionOf(x, 1000 + i) : null));
  const second = (all: readonly Tensor[]): Tensor => {
    const xs = all.slice(0, split);
    const first = project(f, xs, all.slice(split))!;
    const variable = xs.filter((x) => x.requiresGrad);
    const grads: readonly (Tensor | null)[] = grad(first, variable, { createGraph: true, allowUnused: true });
    const used = weights.filter((w): w is Tensor => w !== null);
    return grads.reduce<Tensor>(
      (total, g, i) => (g === null ? total : total.add(sum(mul(g, used[i])))),
      zeros([], { dtype: 'float64' }),
    );
  };
  const given = [...inputs, ...cotangents.map((c) => c.detach().requiresGrad_())];
  checkScalar(`${label}, gradient of the gradient`, second, given, tolerance);
}

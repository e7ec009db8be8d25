// What the five trainings share: numbers of a formula (that of test/golden/trainings.py), and their interface.
import { fromTypedArray, type FloatDType, type nn, type Tensor } from 'thalweg';

/** A training that is set up: a model, and what one step does with it. */
export interface Training {
  readonly model: nn.Module;
  /** Trains one step and gives the loss before it. */
  step(number: number): Tensor;
}

/** Makes the model and its optimizer. */
export type MakeTraining = (dtype: FloatDType) => Training;

function numbers(seed: number, shape: readonly number[]): Float64Array {
  const count = shape.reduce((n, size) => n * size, 1);
  return Float64Array.from({ length: count }, (_, i) => {
    const j = 1000 * seed + i;
    return (7 * j * j + 13 * j) % 10007;
  });
}

/** Floats from -1 to 1, without a visible pattern. */
export function values<const S extends readonly number[]>(seed: number, shape: S, dtype: FloatDType): Tensor<S> {
  return fromTypedArray(
    numbers(seed, shape).map((n) => n / 5003 - 1),
    shape,
    { dtype },
  );
}

/** Integers from 0 to below a limit. */
export function integers<const S extends readonly number[]>(seed: number, limit: number, shape: S): Tensor<S, 'int64'> {
  return fromTypedArray(
    BigInt64Array.from(numbers(seed, shape), (n) => BigInt(n % limit)),
    shape,
  );
}

/** Weights as Xavier would scale them, scales near 1, biases near 0; buffers as they are. */
export function initialState(model: nn.Module, names: readonly string[]): Map<string, Tensor> {
  const learned = new Set(Array.from(model.namedParameters(), ([name]) => name));
  const state = new Map<string, Tensor>();
  for (const [name, tensor] of model.stateDict()) {
    const { shape } = tensor;
    const uniform = values(names.indexOf(name), shape, 'float64');
    const [rows, columns = 0, ...kernel] = shape;
    const fans = kernel.reduce((n, size) => n * size, rows + columns);
    if (!learned.has(name)) state.set(name, tensor);
    else if (shape.length > 1) state.set(name, uniform.mul(Math.sqrt(6 / fans)));
    else state.set(name, uniform.mul(0.1).add(name.endsWith('weight') ? 1 : 0));
  }
  return state;
}

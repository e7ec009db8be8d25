// All parameters as one vector, and back.
import { noGrad } from '../../autograd/mode.js';
import { ArgumentError, ShapeError } from '../../errors.js';
import { tidy } from '../../memory.js';
import { copy_ } from '../../ops/copy.js';
import { checkTensor } from '../../ops/define.js';
import { cat } from '../../ops/join.js';
import { narrow, reshape } from '../../ops/view.js';
import { formatShape } from '../../shape.js';
import type { Tensor } from '../../tensor/tensor.js';

function listed(op: string, parameters: Iterable<Tensor>): Tensor[] {
  const list = [...parameters];
  list.forEach((p, i) => checkTensor(op, `parameters[${i}]`, p));
  return list;
}

/**
 * The elements of all parameters, one after the other, in a vector. Differentiable.
 *
 * @throws ArgumentError without parameters
 * @example
 * const vector = nn.utils.parametersToVector(model.parameters());
 */
export function parametersToVector(parameters: Iterable<Tensor>): Tensor<readonly [number]> {
  const list = listed('parametersToVector', parameters);
  if (list.length === 0) throw new ArgumentError('parametersToVector: there are no parameters.');
  return tidy(() => cat(list.map((p) => reshape(p, [p.numel])) as Tensor[], 0)) as Tensor as Tensor<readonly [number]>;
}

/**
 * Copies a vector, as `parametersToVector` gives it, into the parameters. Not recorded.
 *
 * @throws ShapeError unless the vector has as many elements as the parameters together
 */
export function vectorToParameters(vector: Tensor, parameters: Iterable<Tensor>): void {
  const op = 'vectorToParameters';
  checkTensor(op, 'vector', vector);
  const list = listed(op, parameters);
  const total = list.reduce((n, p) => n + p.numel, 0);
  if (vector.shape.length !== 1 || vector.numel !== total) {
    throw new ShapeError(
      `${op}: the parameters have ${total} elements, the vector must have shape [${total}], it has ${formatShape(vector.shape)}.`,
    );
  }
  noGrad(() =>
    tidy(() => {
      let start = 0;
      for (const p of list) {
        copy_(p, reshape(narrow(vector, 0, start, p.numel) as Tensor, p.shape));
        start += p.numel;
      }
    }),
  );
}

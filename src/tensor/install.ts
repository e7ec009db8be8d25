// Puts the ops on Tensor's prototype, and says how a tensor is printed.
import { inspect } from 'node:util';
import { disposedError, Tensor, viewTensor } from './tensor.js';
import { formatTensor, readEdges, type FormatInfo } from './format.js';
import { opMethods, variadicMethods } from './methods.js';

type AnyFunction = (this: void, ...args: unknown[]) => unknown;

for (const [name, op] of Object.entries(opMethods) as [string, AnyFunction][]) {
  Object.defineProperty(Tensor.prototype, name, {
    configurable: true,
    writable: true,
    // A fixed arity keeps the common calls free of argument arrays; an op cannot tell undefined from nothing.
    value: variadicMethods.has(name)
      ? function (this: Tensor, ...args: unknown[]) {
          return op(this, ...args);
        }
      : function (this: Tensor, a: unknown, b: unknown, c: unknown, d: unknown) {
          return op(this, a, b, c, d);
        },
  });
}

/** The tensor as text: values, shape, dtype, device. Waits for queued work. */
export function tensorToString(x: Tensor): string {
  if (x.isDisposed) throw disposedError(x, 'toString');
  const info: FormatInfo = {
    shape: x.shape,
    dtype: x.dtype,
    device: x.device,
    requiresGrad: x._requiresGrad,
    gradFn: x._node?.op,
  };
  // Only what is shown is read: a print of gigabytes stays cheap.
  const values = readEdges(x.shape, (block) => {
    const { strides } = x;
    let offset = x._offset;
    block.forEach((range, d) => {
      offset += range.start * strides[d];
    });
    const window = viewTensor(
      x,
      block.map((range) => range.end - range.start),
      strides,
      offset,
    );
    const data = window.dataSync();
    window.dispose();
    return data as ArrayLike<number>;
  });
  return formatTensor(values, info);
}

Object.defineProperty(Tensor.prototype, 'toString', {
  configurable: true,
  writable: true,
  value(this: Tensor): string {
    return tensorToString(this);
  },
});

Object.defineProperty(Tensor.prototype, inspect.custom, {
  configurable: true,
  writable: true,
  value(this: Tensor): string {
    if (this.isDisposed)
      return `tensor(<disposed>, shape=[${this.shape.join(',')}], dtype=${this.dtype}, device=${this.device})`;
    return tensorToString(this);
  },
});

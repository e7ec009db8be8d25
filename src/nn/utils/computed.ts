// A parameter that is computed from others before each forward: what weightNorm and spectralNorm share.
import type { HookHandle } from '../../autograd/hooks.js';
import { noGrad } from '../../autograd/mode.js';
import { ArgumentError } from '../../errors.js';
import { keep } from '../../memory.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';
import { Module, parameter, type AnyModule } from '../module.js';

interface Computed {
  readonly kind: string;
  readonly handle: HookHandle;
  /** Fields to take away on removal. */
  readonly parts: readonly string[];
  /** The value without gradients, and without a change of state. */
  readonly value: () => Tensor;
}

const computed = new WeakMap<AnyModule, Map<string, Computed>>();

type Fields = Record<string, unknown>;

// Not enumerable, so that the module does not take it for a buffer.
function setComputed(module: AnyModule, name: string, value: Tensor): void {
  Object.defineProperty(module, name, { value, configurable: true, enumerable: false, writable: true });
}

/** The parameter of this name, or throws. */
export function requireParameter(op: string, module: AnyModule, name: string): Tensor {
  if (!((module as unknown) instanceof Module)) throw new ArgumentError(`${op}: expected a Module.`);
  if (computed.get(module)?.has(name) === true)
    throw new ArgumentError(`${op}: '${name}' of ${module.constructor.name} is computed from others already.`);
  const value = (module as unknown as Fields)[name];
  const known = module.parameters().includes(value as Tensor);
  if (!isTensor(value) || !known || !Object.hasOwn(module, name))
    throw new ArgumentError(`${op}: ${module.constructor.name} has no parameter '${name}'.`);
  return value;
}

/** What stands in a field now: conversion puts other tensors there. */
export function partOf(module: AnyModule, name: string): Tensor {
  return (module as unknown as Fields)[name] as Tensor;
}

/** Puts `parts` in the place of a parameter, which is computed by `compute` from then on. */
export function install(
  kind: string,
  module: AnyModule,
  name: string,
  parts: Readonly<Record<string, Tensor>>,
  compute: () => Tensor,
  value: () => Tensor,
): void {
  const fields = module as unknown as Fields;
  delete fields[name];
  for (const [part, tensor] of Object.entries(parts)) fields[part] = keep(tensor);
  setComputed(
    module,
    name,
    keep(noGrad(value)),
  );
  const hooks = module._hooks();
  const handle = hooks.add(hooks.preparations, () => {
    setComputed(module, name, compute());
  });
  const own = computed.get(module) ?? new Map<string, Computed>();
  computed.set(module, own.set(name, { kind, handle, parts: Object.keys(parts), value }));
}

/** Makes a computed parameter a parameter again, with the value that it has. */
export function uninstall(op: string, kind: string, module: AnyModule, name: string): void {
  const entry = computed.get(module)?.get(name);
  if (entry?.kind !== kind) throw new ArgumentError(`${op}: '${name}' of ${module.constructor.name} has no ${kind}.`);
  const fields = module as unknown as Fields;
  const value = noGrad(entry.value);
  entry.handle.remove();
  computed.get(module)!.delete(name);
  delete fields[name];
  for (const part of entry.parts) delete fields[part];
  fields[name] = parameter(value);
}

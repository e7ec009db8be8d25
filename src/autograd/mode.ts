// Whether operations are being recorded.
let recording = true;

/** True while operations on tensors that require gradients are recorded. */
export function isGradEnabled(): boolean {
  return recording;
}

/** @internal */
export function withGrad<T>(enabled: boolean, fn: () => T): T {
  const before = recording;
  recording = enabled;
  try {
    return fn();
  } finally {
    recording = before;
  }
}

function checkSync<T>(name: string, result: T): T {
  if (result instanceof Promise) {
    throw new TypeError(
      `${name}(fn): fn returned a promise; what it does after its first await would be outside ${name}.`,
    );
  }
  return result;
}

/**
 * Runs `fn` without recording: nothing made inside requires gradients, and in-place changes of parameters are allowed.
 *
 * @throws TypeError when `fn` is asynchronous
 * @example
 * const accuracy = noGrad(() => model.forward(x).argmax(1).eq(y).to('float32').mean());
 */
export function noGrad<T>(fn: () => T): T {
  return checkSync('noGrad', withGrad(false, fn));
}

/** Runs `fn` with recording, inside `noGrad`. */
export function enableGrad<T>(fn: () => T): T {
  return checkSync('enableGrad', withGrad(true, fn));
}

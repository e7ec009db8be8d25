// Every failure that Thalweg reports on purpose is one of these classes, so that callers can tell them apart with
// `instanceof` or by `code`.

// The name goes on the prototype, not on each error: V8 writes the heading of the stack while the error is constructed,
// before a constructor could set anything, and minifiers rename classes.
function setName(errorClass: { readonly prototype: Error }, name: string): void {
  Object.defineProperty(errorClass.prototype, 'name', { value: name, configurable: true, writable: true });
}

/** Base class of all errors thrown by Thalweg. `code` is stable and machine readable, e.g. `ERR_THALWEG_SHAPE`. */
export class ThalwegError extends Error {
  /** Stable and machine readable, e.g. `ERR_THALWEG_SHAPE`. */
  readonly code: string = 'ERR_THALWEG';

  static {
    setName(this, 'ThalwegError');
  }
}

/** Shapes do not fit an operation: wrong rank, dimensions that differ, a product that is too large. */
export class ShapeError extends ThalwegError {
  override readonly code = 'ERR_THALWEG_SHAPE';

  static {
    setName(this, 'ShapeError');
  }
}

/** An operation does not take this dtype, or the dtypes of its arguments do not go together. */
export class DTypeError extends ThalwegError {
  override readonly code = 'ERR_THALWEG_DTYPE';

  static {
    setName(this, 'DTypeError');
  }
}

/** A device is unknown or not available, or arguments are on different devices. */
export class DeviceError extends ThalwegError {
  override readonly code = 'ERR_THALWEG_DEVICE';

  static {
    setName(this, 'DeviceError');
  }
}

/** A tensor was used after `dispose()`, or belongs to another worker. */
export class DisposedError extends ThalwegError {
  override readonly code = 'ERR_THALWEG_DISPOSED';

  static {
    setName(this, 'DisposedError');
  }
}

/** Autograd was asked for something impossible: a second backward, a saved tensor that changed in place. */
export class GradError extends ThalwegError {
  override readonly code = 'ERR_THALWEG_GRAD';

  static {
    setName(this, 'GradError');
  }
}

/** An index or a dimension number is out of range. */
export class IndexError extends ThalwegError {
  override readonly code = 'ERR_THALWEG_INDEX';

  static {
    setName(this, 'IndexError');
  }
}

/** An argument is of the wrong kind: an unknown option, NaN as a dimension, a ragged nested array. */
export class ArgumentError extends ThalwegError {
  override readonly code = 'ERR_THALWEG_ARGUMENT';

  static {
    setName(this, 'ArgumentError');
  }
}

/** The native addon could not be loaded, or failed in a way that has no better class. */
export class NativeError extends ThalwegError {
  override readonly code = 'ERR_THALWEG_NATIVE';

  static {
    setName(this, 'NativeError');
  }
}

/**
 * A matrix does not allow what was asked: it is singular, not positive-definite, or not finite. Kernels find that out while
 * they run, so the error comes from the next read.
 */
export class LinAlgError extends ThalwegError {
  override readonly code = 'ERR_THALWEG_LINALG';

  static {
    setName(this, 'LinAlgError');
  }
}

/** A device has no memory left for an allocation. The message says what was asked, what is live and what is cached. */
export class OutOfMemoryError extends ThalwegError {
  override readonly code = 'ERR_THALWEG_OUT_OF_MEMORY';

  static {
    setName(this, 'OutOfMemoryError');
  }
}

/** A file is missing, truncated or does not hold what its header says. */
export class FileError extends ThalwegError {
  override readonly code = 'ERR_THALWEG_FILE';

  static {
    setName(this, 'FileError');
  }
}

/** A worker thread of a loader failed to make a sample, or ended. The message has what went wrong there; so has `cause`. */
export class WorkerError extends ThalwegError {
  override readonly code = 'ERR_THALWEG_WORKER';

  static {
    setName(this, 'WorkerError');
  }
}

/** The kinds of native/runtime/error.h. A Map, because a plain object would also answer to `constructor`. */
const nativeKinds = new Map<string, new (message: string, options?: ErrorOptions) => ThalwegError>([
  ['ShapeError', ShapeError],
  ['DTypeError', DTypeError],
  ['DeviceError', DeviceError],
  ['DisposedError', DisposedError],
  ['IndexError', IndexError],
  ['LinAlgError', LinAlgError],
  ['OutOfMemoryError', OutOfMemoryError],
  ['NativeError', NativeError],
]);

/**
 * The error for a failure reported by native code.
 *
 * @param kindName the name that native/runtime/error.h gives the kind; an unknown one becomes a `NativeError`
 * @param message the native message, unchanged
 * @param cause what led to it, kept as `error.cause`
 * @example
 * throw fromNative('ShapeError', 'matmul: inner dimensions differ, 3 and 4');
 */
export function fromNative(kindName: string, message: string, cause?: unknown): ThalwegError {
  const Class = nativeKinds.get(kindName) ?? NativeError;
  return cause === undefined ? new Class(message) : new Class(message, { cause });
}

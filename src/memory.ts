// Who frees tensors: `dispose`, `tidy`, and the collector that runs when an allocation would pass the budget.
import os from 'node:os';
import v8 from 'node:v8';
import vm from 'node:vm';
import { checkDevice, deviceIndex, deviceName, type Device } from './device.js';
import { OutOfMemoryError } from './errors.js';
import { native, scratchNumbers, strideBase, type Handle } from './native.js';

/** What a scope and the collector know of a tensor. */
export interface Disposable {
  dispose(): void;
  /** @internal */
  _kept: boolean;
}

/** Tensor memory of this thread, in bytes. */
export interface MemoryInfo {
  /** Tensors (views included) that hold a handle. */
  tensors: number;
  /** Bytes of their storages. */
  bytes: number;
  /** The most `bytes` has been since the start or the last `memory({ resetPeak: true })`. */
  peakBytes: number;
  /** Freed bytes kept for the next tensors. */
  cachedBytes: number;
  /** Bytes held from the system: live and cached, with rounding. */
  reservedBytes: number;
  /** Bytes of pinned memory on the CPU that copies to and from this GPU pass through; 0 for 'cpu'. */
  pinnedBytes: number;
}

const MiB = 2 ** 20;
// A minor collection takes about a millisecond, so garbage is let grow to this before one; it doubles when collections
// turn out to cost more than 5% of the time.
const minBudget = 96 * MiB;
const maxBaseBudget = 1024 * MiB;
const minTensorBudget = 50_000;

// Total memory, or the container's share of it.
const constrained = process.constrainedMemory?.() ?? 0;
const machineBytes = constrained > 0 && constrained < os.totalmem() ? constrained : os.totalmem();
const limitBytes = readLimit() ?? Math.floor(machineBytes * 0.9);

function readLimit(): number | undefined {
  const text = process.env['THALWEG_MEMORY_LIMIT'];
  if (text === undefined || text === '') return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([KMG]?)i?B?$/i.exec(text);
  if (match === null) {
    process.emitWarning(`THALWEG_MEMORY_LIMIT is '${text}', which is no size such as 500M or 8G; it is not used.`);
    return undefined;
  }
  return Math.floor(Number(match[1]) * { '': 1, k: 1024, m: MiB, g: 1024 * MiB }[match[2].toLowerCase()]!);
}

/** The most bytes that tensors may take: `THALWEG_MEMORY_LIMIT`, or a share of what there is. @internal */
export const memoryLimit = (): number => limitBytes;

// Memory that the system has to provide costs as much as a minor collection for every few megabytes, for it is filled
// with zeros when it is first touched, and in a virtual machine may cost ten times that. And a loop that goes round and
// round in little memory finds it in the cache. So before more is taken for what may be garbage of as many bytes, that
// is collected; but for no more than 5% of the time, and less while there turns out to be little garbage.
const freshStep = 16 * MiB;

let baseBudget = minBudget;
let budgetBytes = minBudget;
let budgetTensors = minTensorBudget;
let freshBytes = freshStep;

function setBudget(): void {
  native.setBudget(Math.floor(budgetBytes), Math.floor(budgetTensors), limitBytes, freshBytes);
}
setBudget();

type Gc = (options?: { type: 'minor' | 'major' }) => void;
let gc: Gc | undefined;

function prepareCollector(): Gc {
  if (gc === undefined) {
    const bun = (globalThis as { Bun?: { gc(sync: boolean): void } }).Bun;
    if (bun !== undefined) {
      gc = () => bun.gc(true);
    } else {
      v8.setFlagsFromString('--expose-gc');
      gc = vm.runInNewContext('gc') as Gc;
    }
  }
  return gc;
}

function collectGarbage(minor: boolean): void {
  if (minor) prepareCollector()({ type: 'minor' });
  else prepareCollector()();
}

let collectedMs = 0;
let lastAdjust = performance.now();

// Frees what JavaScript has forgotten. Minor first: young garbage is most of it, and 20 times cheaper to find.
function collect(full: boolean): void {
  const start = performance.now();
  const [tensorsBefore, bytesBefore] = native.stats(false, 0);
  collectGarbage(true);
  native.sweep();
  let [tensors, bytes] = native.stats(false, 0);
  // The open page would keep its dead members.
  if (full) {
    page = {};
    pageLeft = 0;
  }
  if (full || bytes > 0.75 * bytesBefore || tensors > 0.75 * tensorsBefore) {
    collectGarbage(false);
    native.sweep();
    [tensors, bytes] = native.stats(false, 0);
  }
  const now = performance.now();
  collectedMs += now - start;
  if (now - lastAdjust > 1000) {
    if (collectedMs > 0.05 * (now - lastAdjust)) baseBudget = Math.min(baseBudget * 2, maxBaseBudget);
    collectedMs = 0;
    lastAdjust = now;
  }
  budgetBytes = Math.max(baseBudget, 1.5 * bytes);
  budgetTensors = Math.max(minTensorBudget, 1.5 * tensors);
  freshBytes = bytes + freshStep;
  setBudget();
}

// How many times the cost of a collection has to pass before the next, which doubles while they find little.
const minPatience = 20;
const maxPatience = 160;
let patience = minPatience;
let lastEnd = 0;
let usualCost = 1; // ms

// Called when an allocation would take memory from the system, and more is live than after the last collection.
function collectBeforeGrowing(): void {
  prepareCollector();
  const start = performance.now();
  const [, bytesBefore] = native.stats(false, 0);
  if (start - lastEnd < patience * usualCost) {
    freshBytes = bytesBefore + freshStep;
    setBudget();
    return;
  }
  collectGarbage(true);
  native.sweep();
  const [, bytes] = native.stats(false, 0);
  lastEnd = performance.now();
  const cost = lastEnd - start;
  usualCost += (cost - usualCost) / 4;
  patience = bytesBefore - bytes < freshStep / 4 ? Math.min(2 * patience, maxPatience) : minPatience;
  freshBytes = bytes + freshStep;
  setBudget();
}

// Tensors up to this many bytes share one weak reference with their neighbours: making a reference costs as much as a
// tiny tensor's arithmetic. A page keeps the few hundred bytes of its dead members until all of them are gone.
const tinyBytes = 256;
const pageSize = 16;
let page: object = {};
let pageLeft = 0;

/** The object whose collection frees a tensor: the tensor, or the page that `tensor._page` is set to. @internal */
export function keeperFor(tensor: { _page: object | null }, bytes: number): object | undefined {
  if (bytes > tinyBytes) return tensor;
  if (pageLeft === 0) {
    page = {};
    native.openPage(page);
    pageLeft = pageSize;
  }
  pageLeft--;
  tensor._page = page;
  return undefined;
}

/** Memory for a tensor; null strides: contiguous. @internal */
export function allocate(
  op: string,
  tensor: { _page: object | null },
  dtypeId: number,
  shape: readonly number[],
  bytes: number,
  strides: readonly number[] | null = null,
  device = 0,
): Handle {
  const ndim = shape.length;
  dtypeId |= device << 4;
  const owner = keeperFor(tensor, bytes);
  for (let d = 0; d < ndim; d++) scratchNumbers[d] = shape[d]!;
  if (strides !== null) for (let d = 0; d < ndim; d++) scratchNumbers[strideBase + d] = strides[d]!;
  const strided = strides !== null;
  let handle = native.empty(dtypeId, ndim, owner, false, strided);
  if (handle !== 0) return handle;
  if (device > 0) return allocateOnDevice(op, owner, dtypeId, shape, bytes, strided, device);
  if (bytes <= limitBytes) {
    const [tensors, live] = native.stats(false, 0);
    if (live + bytes > budgetBytes || tensors >= budgetTensors) collect(false);
    else collectBeforeGrowing();
    handle = native.empty(dtypeId, ndim, owner, true, strided);
    if (handle !== 0) return handle;
    collect(true);
    native.trim();
    handle = native.empty(dtypeId, ndim, owner, true, strided);
    if (handle !== 0) return handle;
  }
  const [, live, , cached] = native.stats(false, 0);
  throw new OutOfMemoryError(
    `${op}: a tensor of shape [${shape.join(',')}] needs ${formatBytes(bytes)}, but ${formatBytes(live)} are live, ` +
      `${formatBytes(cached)} cached, and the limit is ${formatBytes(limitBytes)} (THALWEG_MEMORY_LIMIT).`,
  );
}

// Of another device, after a first refusal: its memory is collected by the same means as the CPU's.
function allocateOnDevice(
  op: string,
  owner: object | undefined,
  packed: number,
  shape: readonly number[],
  bytes: number,
  strided: boolean,
  device: number,
): Handle {
  collectGarbage(true);
  native.sweep();
  const before = native.stats(false, device)[1];
  let handle = native.empty(packed, shape.length, owner, false, strided);
  if (handle !== 0) return handle;
  collect(true);
  handle = native.empty(packed, shape.length, owner, true, strided);
  if (handle !== 0) return handle;
  native.trim();
  handle = native.empty(packed, shape.length, owner, true, strided);
  if (handle !== 0) return handle;
  const [, live, , cached] = native.stats(false, device);
  const [free, total] = native.deviceMemory(device - 1);
  const freed = before > live ? `, after ${formatBytes(before - live)} of garbage were collected` : '';
  throw new OutOfMemoryError(
    `${op}: a tensor of shape [${shape.join(',')}] needs ${formatBytes(bytes)} of device '${deviceName(device)}', which has ` +
      `${formatBytes(free)} free of ${formatBytes(total)}; ${formatBytes(live)} are live here and ${formatBytes(cached)} ` +
      `cached in use${freed}. Use smaller batches, amp.autocast or utils.checkpoint.`,
  );
}

/** '1.5 GB', '96 MB', '12 bytes'. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB', 'EB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${units[unit]}`;
}

/**
 * Tensor memory of this thread.
 *
 * @param options `resetPeak`: start `peakBytes` again from what is live now; `collect`: first free every tensor that
 *   the program can no longer reach (a full garbage collection, some milliseconds); `device`: whose memory, 'cpu' by
 *   default
 * @throws DeviceError for a device that is not there
 * @example
 * const { bytes, tensors } = memory();
 */
export function memory(options: { resetPeak?: boolean; collect?: boolean; device?: Device } = {}): MemoryInfo {
  if (options.collect === true) collect(true);
  const [tensors, bytes, peakBytes, cachedBytes, reservedBytes, pinnedBytes] = native.stats(
    options.resetPeak === true,
    options.device === undefined ? 0 : deviceIndex(checkDevice('memory', options.device)),
  );
  return { tensors, bytes, peakBytes, cachedBytes, reservedBytes, pinnedBytes };
}

/**
 * Gives cached memory back to the system and to the GPUs: freed tensors', the scratch memory of kernels, and the pinned memory
 * of copies. Waits for queued work. What is needed again is taken again.
 */
export function emptyCache(): void {
  native.trim();
}

let scope: Disposable[] | null = null;

/** Called for each new tensor. @internal */
export function track(tensor: Disposable): void {
  if (scope !== null) scope.push(tensor);
}

/** Runs fn without the current tidy scope: tensors made inside belong to nobody's scope. @internal */
export function untracked<T>(fn: () => T): T {
  const outer = scope;
  scope = null;
  try {
    return fn();
  } finally {
    scope = outer;
  }
}

let shared: Disposable[] | null = null;

/** Runs fn; what `sharing` makes inside is listed in `made`, for the caller to free. @internal */
export function withShared<T>(made: Disposable[], fn: () => T): T {
  const outer = shared;
  shared = made;
  try {
    return fn();
  } finally {
    shared = outer;
  }
}

/** Runs fn without the current tidy scope: tensors made inside last until the surrounding `withShared` is done. @internal */
export function sharing<T>(fn: () => T): T {
  const outer = scope;
  scope = shared;
  try {
    return fn();
  } finally {
    scope = outer;
  }
}

function isDisposable(value: object): value is Disposable {
  return '_kept' in value && typeof (value as { dispose?: unknown }).dispose === 'function';
}

/** An object other than a tensor, array, map or plain object that `tidy` may return: it names its tensors. */
export interface TensorHolder {
  /** @internal */
  _tensors(): Iterable<unknown>;
}

function holdsTensors(value: object): value is TensorHolder {
  return typeof (value as { _tensors?: unknown })._tensors === 'function';
}

function collectResult(value: unknown, found: Set<unknown>): void {
  if (typeof value !== 'object' || value === null || found.has(value)) return;
  found.add(value);
  if (isDisposable(value)) return;
  if (holdsTensors(value)) {
    for (const item of value._tensors()) collectResult(item, found);
  } else if (value instanceof Map) {
    for (const item of value.values()) collectResult(item, found);
  } else if (Array.isArray(value) || value instanceof Set) {
    for (const item of value as Iterable<unknown>) collectResult(item, found);
  } else if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null) {
    for (const item of Object.values(value)) collectResult(item, found);
  }
}

/**
 * Runs `fn` and frees at once every tensor it made, except those in its result (a tensor, or arrays, maps and plain
 * objects of tensors), gradients, and those passed to `keep`. Never needed for correctness: forgotten tensors are
 * collected anyway; it only frees sooner.
 *
 * @throws TypeError when `fn` returns a promise: the tensors of an async function outlive the call
 * @example
 * const norm = tidy(() => x.mul(x).sum().sqrt());
 */
export function tidy<T>(fn: () => T): T {
  const outer = scope;
  const made: Disposable[] = [];
  scope = made;
  let result: T;
  try {
    result = fn();
  } catch (error) {
    scope = outer;
    for (const tensor of made) if (!tensor._kept) tensor.dispose();
    throw error;
  }
  scope = outer;
  if (result instanceof Promise) {
    throw new TypeError('tidy(fn): fn returned a promise; use tidy around the synchronous parts of async code.');
  }
  if (made.length > 0) {
    const returned = new Set<unknown>();
    collectResult(result, returned);
    for (const tensor of made) {
      if (tensor._kept) continue;
      if (!returned.has(tensor)) tensor.dispose();
      else if (outer !== null) outer.push(tensor);
    }
  }
  return result;
}

/**
 * Takes tensors out of every enclosing `tidy`: they live until disposed or forgotten.
 *
 * @example
 * tidy(() => { this.cache = keep(x.mul(2)); });
 */
export function keep<T extends object>(tensor: T): T {
  (tensor as unknown as Disposable)._kept = true;
  return tensor;
}

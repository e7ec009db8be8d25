// The typed face of the native addon. One line here for each kernel of native/kernels.def; everything else about a kernel
// is in its own files.
import { fromNative } from './errors.js';
import { loadAddon } from './load.js';

/** A live tensor in the native handle table; 0 stands for an operand that is not given. */
export type Handle = number;
/** The id of an elementwise program. */
export type ProgramId = number;

/** The kernels, as in native/kernels.def. A list is the number of its items, staged by `stageHandles` / `stageNumbers`. */
export interface Kernels {
  copy(out: Handle, x: Handle): void;
  fill(out: Handle, value: number | bigint | boolean): void;
  arange(out: Handle, start: number | bigint, step: number | bigint): void;
  randomUniform(out: Handle, seed: bigint, offset: number, low: number, high: number): void;
  randomNormal(out: Handle, seed: bigint, offset: number, mean: number, std: number): void;
  randomBernoulli(out: Handle, seed: bigint, offset: number, probability: number): void;
  randomIntegers(out: Handle, seed: bigint, offset: number, low: number | bigint, high: number | bigint): void;
  randomPermutation(out: Handle, seed: bigint, offset: number): void;
  map(program: ProgramId, tensors: number, scalars: number): void;
  mapUnless(program: ProgramId, tensors: number, scalars: number, skip: Handle, given: Handle): void;
  unscale(grads: number, scale: Handle, found: Handle): void;
  reduce(kind: number, prologue: ProgramId, outs: number, ins: number, scalars: number, correction: number): void;
  matmul(out: Handle, a: Handle, b: Handle, bias: Handle, activation: number): void;
  softmax(out: Handle, x: Handle, dim: number, log: boolean): void;
  softmaxBackward(gx: Handle, g: Handle, y: Handle, dim: number, log: boolean): void;
  gather(out: Handle, x: Handle, index: Handle, dim: number): void;
  scatterAdd(out: Handle, index: Handle, src: Handle, dim: number): void;
  embedding(out: Handle, weight: Handle, indices: Handle): void;
  embeddingBackward(weight: Handle, g: Handle, indices: Handle): void;
  scan(out: Handle, x: Handle, dim: number, kind: number, reverse: boolean): void;
  scanExtreme(values: Handle, indices: Handle, x: Handle, dim: number, largest: boolean): void;
  scanLinear(out: Handle, a: Handle, b: Handle, dim: number, reverse: boolean): void;
  sort(values: Handle, indices: Handle, x: Handle, dim: number, descending: boolean): void;
  topk(values: Handle, indices: Handle, x: Handle, dim: number, largest: boolean): void;
  pick(values: Handle, indices: Handle, x: Handle, dim: number, kind: number, k: number): void;
  sortRows(order: Handle, x: Handle): void;
  runs(group: Handle, x: Handle): void;
  runStarts(starts: Handle, group: Handle): void;
  searchsorted(out: Handle, sorted: Handle, values: Handle, sorter: Handle, right: boolean): void;
  scatter(out: Handle, index: Handle, src: Handle, dim: number): void;
  scatterReduce(out: Handle, index: Handle, src: Handle, dim: number, kind: number): void;
  linearIndex(out: Handle, indices: number, sizes: number): void;
  countNonzero(out: Handle, x: Handle): void;
  nonzero(out: Handle, x: Handle): void;
  flip(out: Handle, x: Handle, dims: number): void;
  triangle(out: Handle, x: Handle, diagonal: number, upper: boolean): void;
  convForward(out: Handle, x: Handle, weight: Handle, bias: Handle, geometry: number): void;
  convBackwardData(out: Handle, g: Handle, weight: Handle, bias: Handle, geometry: number): void;
  convBackwardWeight(out: Handle, g: Handle, x: Handle, geometry: number): void;
  im2col(out: Handle, x: Handle, geometry: number): void;
  col2im(out: Handle, columns: Handle, geometry: number): void;
  ctcLoss(
    loss: Handle,
    alpha: Handle,
    logProbs: Handle,
    targets: Handle,
    inputLengths: Handle,
    targetLengths: Handle,
    blank: number,
    zeroInfinity: boolean,
  ): void;
  ctcLossBackward(
    gx: Handle,
    g: Handle,
    alpha: Handle,
    logProbs: Handle,
    targets: Handle,
    inputLengths: Handle,
    targetLengths: Handle,
    blank: number,
    zeroInfinity: boolean,
  ): void;
  // prettier-ignore
  attention(out: Handle, logSums: Handle, q: Handle, k: Handle, v: Handle, mask: Handle, causal: boolean, scale: number, dropout: number, seed: bigint, offset: number): void;
  // prettier-ignore
  attentionBackward(gq: Handle, gk: Handle, gv: Handle, gmask: Handle, g: Handle, q: Handle, k: Handle, v: Handle, mask: Handle, out: Handle, logSums: Handle, causal: boolean, scale: number, dropout: number, seed: bigint, offset: number): void;
  normalizeRows(
    out: Handle,
    mean: Handle,
    rstd: Handle,
    x: Handle,
    weight: Handle,
    bias: Handle,
    inner: number,
    eps: number,
  ): void;
  normalizeRowsBackward(
    gx: Handle,
    gWeight: Handle,
    gBias: Handle,
    g: Handle,
    x: Handle,
    mean: Handle,
    rstd: Handle,
    weight: Handle,
    inner: number,
  ): void;
  normalizeGroups(
    out: Handle,
    mean: Handle,
    rstd: Handle,
    x: Handle,
    weight: Handle,
    bias: Handle,
    groups: number,
    eps: number,
  ): void;
  normalizeGroupsBackward(
    gx: Handle,
    gWeight: Handle,
    gBias: Handle,
    g: Handle,
    x: Handle,
    mean: Handle,
    rstd: Handle,
    weight: Handle,
    groups: number,
  ): void;
  batchNorm(out: Handle, mean: Handle, variance: Handle, x: Handle, weight: Handle, bias: Handle, eps: number): void;
  batchNormGiven(
    out: Handle,
    x: Handle,
    mean: Handle,
    variance: Handle,
    weight: Handle,
    bias: Handle,
    eps: number,
  ): void;
  batchNormBackward(
    gx: Handle,
    gWeight: Handle,
    gBias: Handle,
    g: Handle,
    x: Handle,
    mean: Handle,
    variance: Handle,
    weight: Handle,
    eps: number,
  ): void;
  crossEntropy(
    loss: Handle,
    lse: Handle,
    share: Handle,
    x: Handle,
    target: Handle,
    weight: Handle,
    ignoreIndex: number,
    smoothing: number,
  ): void;
  crossEntropyBackward(
    gx: Handle,
    g: Handle,
    x: Handle,
    lse: Handle,
    share: Handle,
    target: Handle,
    weight: Handle,
    ignoreIndex: number,
    smoothing: number,
  ): void;
  dropout(out: Handle, mask: Handle, x: Handle, seed: bigint, offset: number, keep: number, scale: number): void;
  linalgLu(lu: Handle, pivots: Handle, permutation: Handle, x: Handle, check: boolean): void;
  linalgDet(det: Handle, sign: Handle, logabs: Handle, x: Handle): void;
  linalgCofactors(out: Handle, x: Handle): void;
  linalgSolve(out: Handle, a: Handle, b: Handle): void;
  linalgSolveTriangular(out: Handle, a: Handle, b: Handle, upper: boolean, unit: boolean): void;
  linalgCholesky(out: Handle, x: Handle): void;
  linalgQr(q: Handle, r: Handle, x: Handle): void;
  linalgSvd(u: Handle, s: Handle, vh: Handle, x: Handle): void;
  linalgEigh(w: Handle, v: Handle, x: Handle, upper: boolean): void;
  rnnForward(
    h: Handle,
    state: Handle,
    gates: Handle,
    cell: Handle,
    saved: Handle,
    x: Handle,
    weightIh: Handle,
    weightHh: Handle,
    biasIh: Handle,
    biasHh: Handle,
    batchSizes: Handle,
    kind: number,
    reverse: boolean,
  ): void;
  rnnBackward(
    dx: Handle,
    dweightIh: Handle,
    dweightHh: Handle,
    dbiasIh: Handle,
    dbiasHh: Handle,
    dh: Handle,
    dc: Handle,
    g: Handle,
    gates: Handle,
    h: Handle,
    saved: Handle,
    h0: Handle,
    c0: Handle,
    x: Handle,
    weightIh: Handle,
    weightHh: Handle,
    batchSizes: Handle,
    kind: number,
    reverse: boolean,
  ): void;
  // prettier-ignore
  rnnStack(y: Handle, hN: Handle, cN: Handle, reserve: Handle, x: Handle, h0: Handle, c0: Handle, weights: number, lengths: number, kind: number, layers: number, bidirectional: boolean, tf32: boolean): void;
  // prettier-ignore
  rnnStackBackward(dx: Handle, dh0: Handle, dc0: Handle, dweights: number, g: Handle, gN: Handle, gCell: Handle, reserve: Handle, y: Handle, x: Handle, h0: Handle, c0: Handle, weights: number, lengths: number, batch: number, kind: number, layers: number, bidirectional: boolean, tf32: boolean): void;
  maxPool(out: Handle, taps: Handle, x: Handle, geometry: number): void;
  maxPoolBackward(gx: Handle, g: Handle, taps: Handle, geometry: number): void;
  maxPoolTake(out: Handle, x: Handle, taps: Handle, geometry: number): void;
  maxPoolIndices(indices: Handle, taps: Handle, x: Handle, geometry: number): void;
  avgPool(out: Handle, x: Handle, geometry: number): void;
  avgPoolBackward(gx: Handle, g: Handle, geometry: number): void;
  resample(out: Handle, x: Handle, dim: number, spans: Handle, weights: Handle): void;
  probeMultiplyAdd(out: Handle, rounds: number, bfloat16: boolean): void;
  probeCopy(out: Handle, x: Handle, streaming: boolean): void;
  probeFork(out: Handle, regions: number, chunks: number): void;
}

/** What the addon offers beside kernels: memory, transfer, the stream. See native/addon.cpp. */
interface Runtime {
  init(makeError: (kind: string, message: string) => Error): { handles: Uint32Array; numbers: Float64Array };
  /** `packed`: the dtype, and the device from bit 4 on. */
  empty(packed: number, ndim: number, owner: object | undefined, force: boolean, strided: boolean): Handle;
  mapNew(program: ProgramId, packed: number, owner: object | undefined): Handle;
  view(base: Handle, ndim: number, offset: number, owner: object | undefined): Handle;
  openPage(owner: object): void;
  dispose(handle: Handle): void;
  sweep(): number;
  trim(): void;
  setBudget(bytes: number, tensors: number, limit: number, fresh: number): void;
  stats(
    resetPeak: boolean,
    device: number,
  ): [tensors: number, bytes: number, peak: number, cached: number, reserved: number, pinned: number];
  sync(): void;
  program(
    name: string,
    code: Uint16Array,
    outputs: Uint16Array,
    constants: Float64Array,
    inputs: number,
    scalars: number,
    temporaries: number,
  ): ProgramId;
  listing(program: ProgramId): number;
  threads(count: number): number;
  flushDenormal(flush: boolean): boolean;
  /** As readSync, where the answer is there already and `now`; else a promise of the bytes. */
  read(handle: Handle, dtype: number, now: boolean): Promise<ArrayBuffer> | ArrayBuffer | undefined;
  /** The bytes; undefined if they are few enough to lie in `scratchNumbers`: see src/tensor/read.ts. */
  readSync(handle: Handle, dtype: number): ArrayBuffer | undefined;
  write(handle: Handle, data: ArrayBufferView, dtype: number): void;
  /** `copy` from the CPU to another device, beside what is computed there. */
  copyAside(out: Handle, x: Handle): void;
  openPlugin(path: string): void;
  deviceCount(): number;
  deviceInfo(ordinal: number): {
    name: string;
    memoryBytes: number;
    computeCapability: [major: number, minor: number];
    multiprocessors: number;
  };
  openDevice(ordinal: number): void;
  deviceMemory(ordinal: number): [free: number, total: number];
  deviceLibraries(): string;
  allowTf32(allow: boolean): void;
  /** Bytes that `rnnStack` wants for its reserve, or -1 where a device computes layers one by one; lengths: staged. */
  // prettier-ignore
  rnnReserve(ordinal: number, dtype: number, kind: number, layers: number, bidirectional: boolean, bias: boolean, inputSize: number, hiddenSize: number, batch: number, steps: number, lengths: number, tf32: boolean): number;
  graphBegin(device: number): number;
  graphDynamic(on: boolean): void;
  graphEnd(keep: boolean): void;
  graphShadow(graph: number): void;
  graphLaunch(graph: number, philoxShift: number): void;
  graphDispose(graph: number): void;
  describe(): { isa: string; isas: string[]; kernels: string[]; opcodes: string[]; inline: boolean };
}

export const native = loadAddon() as Kernels & Runtime;

const scratch = native.init(fromNative);
/** Shapes and strides travel here: a shape from 0, strides from `strideBase`; see native/addon.cpp. */
export const scratchNumbers: Float64Array = scratch.numbers;
export const scratchHandles: Uint32Array = scratch.handles;
/** Where strides start in the scratch numbers: kMaxDims of native/runtime/tensor.h. */
export const strideBase = 8;

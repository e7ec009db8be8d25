// Event files: what TensorBoard shows.
export type { EmbeddingOptions } from './embedding.js';
export type { GraphNode, HistogramData, HParam } from './messages.js';
export {
  readEvents,
  type EventImage,
  type EventRecord,
  type EventTensor,
  type EventValue,
  type ReadEventsOptions,
} from './reader.js';
export {
  SummaryWriter,
  type EventOptions,
  type HparamsOptions,
  type ImageOptions,
  type ImagesOptions,
  type PrCurveOptions,
  type SummaryWriterOptions,
} from './summaryWriter.js';

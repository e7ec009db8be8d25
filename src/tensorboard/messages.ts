// The protocol buffers of event files. Numbers of fields are those of TensorFlow's event.proto, summary.proto, tensor.proto and
// graph.proto, and of TensorBoard's plugins.
import { PbfWriter } from 'pbf';

/** Writes one message's fields. */
export type Fields = (out: PbfWriter) => void;

/** The bytes of a message. */
export function message(fields: Fields): Uint8Array {
  const out = new PbfWriter();
  fields(out);
  return out.finish();
}

const nested = (out: PbfWriter, tag: number, fields: Fields): void => {
  out.writeMessage(tag, (_: null, inner) => fields(inner), null);
};

/** Fields of an event's content. */
export const eventTags = { wallTime: 1, step: 2, fileVersion: 3, graph: 4, summary: 5 } as const;

/** An event: when, at which step, and what. */
export const event =
  (wallTime: number, step: number | null, content: Fields): Fields =>
  (out) => {
    out.writeDoubleField(eventTags.wallTime, wallTime);
    if (step !== null) out.writeVarintField(eventTags.step, step);
    content(out);
  };

/** The first event of a file. */
export const fileVersion: Fields = (out) => out.writeStringField(eventTags.fileVersion, 'brain.Event:2');

/** Values with tags. */
export const summary =
  (values: readonly Fields[]): Fields =>
  (out) =>
    nested(out, eventTags.summary, (inner) => {
      for (const value of values) nested(inner, 1, value);
    });

/** A number. */
export const scalarValue =
  (tag: string, value: number): Fields =>
  (out) => {
    out.writeStringField(1, tag);
    out.writeFloatField(2, value);
  };

/** A PNG. */
export const imageValue =
  (tag: string, png: Uint8Array, width: number, height: number, channels: number): Fields =>
  (out) => {
    out.writeStringField(1, tag);
    nested(out, 4, (image) => {
      image.writeVarintField(1, height);
      image.writeVarintField(2, width);
      image.writeVarintField(3, channels);
      image.writeBytesField(4, png);
    });
  };

/** Counts of values in buckets, each described by its upper limit. */
export interface HistogramData {
  /** The smallest value. */
  readonly min: number;
  /** The largest value. */
  readonly max: number;
  /** How many values there are. */
  readonly num: number;
  /** Their sum. */
  readonly sum: number;
  /** The sum of their squares. */
  readonly sumSquares: number;
  /** The upper limit of each bucket, ascending. */
  readonly limits: readonly number[];
  /** How many values are in each bucket. */
  readonly counts: readonly number[];
}

/** A histogram. */
export const histogramValue =
  (tag: string, { min, max, num, sum, sumSquares, limits, counts }: HistogramData): Fields =>
  (out) => {
    out.writeStringField(1, tag);
    nested(out, 5, (histogram) => {
      histogram.writeDoubleField(1, min);
      histogram.writeDoubleField(2, max);
      histogram.writeDoubleField(3, num);
      histogram.writeDoubleField(4, sum);
      histogram.writeDoubleField(5, sumSquares);
      histogram.writePackedDouble(6, [...limits]);
      histogram.writePackedDouble(7, [...counts]);
    });
  };

const plugin =
  (name: string, content: Uint8Array): Fields =>
  (out) =>
    nested(out, 1, (data) => {
      data.writeStringField(1, name);
      data.writeBytesField(2, content);
    });

const DT_FLOAT = 1;
const DT_STRING = 7;

const shapeField = (out: PbfWriter, tag: number, shape: readonly number[]): void =>
  nested(out, tag, (dims) => {
    for (const size of shape) nested(dims, 2, (dim) => dim.writeVarintField(1, size));
  });

/** A tensor of numbers that a plugin shows. */
export const floatsValue =
  (tag: string, pluginName: string, content: Uint8Array, shape: readonly number[], values: readonly number[]): Fields =>
  (out) => {
    out.writeStringField(1, tag);
    nested(out, 9, plugin(pluginName, content));
    nested(out, 8, (tensor) => {
      tensor.writeVarintField(1, DT_FLOAT);
      shapeField(tensor, 2, shape);
      tensor.writePackedFloat(5, [...values]);
    });
  };

/** Text, as Markdown. */
export const textValue =
  (tag: string, text: string): Fields =>
  (out) => {
    out.writeStringField(1, tag);
    nested(out, 9, plugin('text', new Uint8Array()));
    nested(out, 8, (tensor) => {
      tensor.writeVarintField(1, DT_STRING);
      shapeField(tensor, 2, [1]);
      tensor.writeStringField(8, text);
    });
  };

/** A node of a graph. */
export interface GraphNode {
  /** With slashes between scopes. */
  readonly name: string;
  /** What it does. */
  readonly op: string;
  /** Names of the nodes that it takes values from. */
  readonly inputs: readonly string[];
  /** Shapes of its results. */
  readonly shapes: readonly (readonly number[])[];
  /** More about it, to be read. */
  readonly note?: string;
}

/** A graph. */
export const graph =
  (nodes: readonly GraphNode[]): Fields =>
  (out) => {
    const bytes = message((def) => {
      for (const { name, op, inputs, shapes, note } of nodes) {
        nested(def, 1, (node) => {
          node.writeStringField(1, name);
          node.writeStringField(2, op);
          for (const input of inputs) node.writeStringField(3, input);
          const attribute = (key: string, value: Fields): void =>
            nested(node, 5, (entry) => {
              entry.writeStringField(1, key);
              nested(entry, 2, value);
            });
          attribute('_output_shapes', (value) =>
            nested(value, 1, (list) => {
              for (const shape of shapes) shapeField(list, 7, shape);
            }),
          );
          if (note !== undefined)
            attribute('attr', (value) => value.writeBytesField(2, new TextEncoder().encode(note)));
        });
      }
      nested(def, 4, (versions) => versions.writeVarintField(1, 22));
    });
    out.writeBytesField(eventTags.graph, bytes);
  };

/** The value of a hyperparameter. */
export type HParam = number | string | boolean;

const HPARAMS = 'hparams';
const typeOf = { string: 1, boolean: 2, number: 3 } as const;

// TensorBoard wants a tensor beside the plugin's data, whatever it holds.
const hparamsValue = (tag: string, fields: Fields): Fields => {
  const content = message((out) => {
    out.writeVarintField(1, 0);
    fields(out);
  });
  return floatsValue(tag, HPARAMS, content, [1], [0]);
};

const jsonValue =
  (value: HParam): Fields =>
  (out) => {
    if (typeof value === 'number') out.writeDoubleField(2, value);
    else if (typeof value === 'string') out.writeStringField(3, value);
    else out.writeBooleanField(4, value);
  };

/** Which hyperparameters and metrics there are. */
export const hparamsExperiment = (
  hparams: Readonly<Record<string, HParam>>,
  metrics: readonly string[],
  time: number,
): Fields =>
  hparamsValue('_hparams_/experiment', (out) =>
    nested(out, 2, (experiment) => {
      experiment.writeDoubleField(3, time);
      for (const [name, value] of Object.entries(hparams)) {
        nested(experiment, 4, (info) => {
          info.writeStringField(1, name);
          info.writeVarintField(4, typeOf[typeof value as keyof typeof typeOf]);
        });
      }
      for (const tag of metrics) {
        nested(experiment, 5, (info) => nested(info, 1, (name) => name.writeStringField(2, tag)));
      }
    }),
  );

/** A run with its hyperparameters begins. */
export const hparamsStart = (hparams: Readonly<Record<string, HParam>>, group: string, time: number): Fields =>
  hparamsValue('_hparams_/session_start_info', (out) =>
    nested(out, 3, (start) => {
      for (const [name, value] of Object.entries(hparams)) {
        nested(start, 1, (entry) => {
          entry.writeStringField(1, name);
          nested(entry, 2, jsonValue(value));
        });
      }
      start.writeStringField(4, group);
      start.writeDoubleField(5, time);
    }),
  );

/** How a run ended. */
export const hparamsEnd = (status: 'success' | 'failure', time: number): Fields =>
  hparamsValue('_hparams_/session_end_info', (out) =>
    nested(out, 4, (end) => {
      end.writeVarintField(1, status === 'success' ? 1 : 2);
      end.writeDoubleField(2, time);
    }),
  );

/** What the plugin of precision-recall curves wants to know. */
export const prCurveContent = (thresholds: number): Uint8Array =>
  message((out) => {
    out.writeVarintField(1, 0);
    out.writeVarintField(2, thresholds);
  });

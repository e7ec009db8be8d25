// All rows, in the order in which they are printed. A new row is one entry in a file of this folder; what has the same name
// in ../peers is measured beside it.
import { convRows } from './conv.js';
import { deviceRows } from './device.js';
import { dispatchRows } from './dispatch.js';
import { gemmRows } from './gemm.js';
import { memoryRows } from './memory.js';
import { modelRows } from './models.js';
import { optimRows } from './optim.js';
import { recurrentRows } from './recurrent.js';
import type { Row } from './row.js';

export const rows: readonly Row[] = [
  ...dispatchRows,
  ...gemmRows,
  ...convRows,
  ...memoryRows,
  ...optimRows,
  ...recurrentRows,
  ...modelRows,
  ...deviceRows,
];

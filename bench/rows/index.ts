// All rows, in the order in which they are printed. A new row is one entry in a file of this folder; with a function of
// the same name in ../peers/torch_rows.py it is compared with PyTorch.
import { dispatchRows } from './dispatch.js';
import { mlpRows } from './mlp.js';
import { optimRows } from './optim.js';
import type { Row } from './row.js';

export const rows: readonly Row[] = [...dispatchRows, ...optimRows, ...mlpRows];

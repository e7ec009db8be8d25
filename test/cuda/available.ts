// Which devices the tests of this folder have. Where there is none they are skipped, and say why.
import { describe } from 'vitest';
import { cuda } from 'thalweg';

const reason = cuda.unavailableReason();

/** The tests of a GPU, or of the emulated one. */
export const describeDevice = (name: string, body: () => void): void => {
  describe.skipIf(reason !== null)(reason === null ? name : `${name} (not run: ${reason})`, body);
};

/** Whether it is the device emulated on the CPU: the variables of native/cuda/emulated/runtime.cpp make it fail. */
export const isEmulated = reason === null && cuda.deviceProperties('cuda').name.startsWith('emulated');

/** Two of them, of which tensors travel from one to the other. */
export const hasTwo = cuda.deviceCount() > 1;

/** The second one where there is one; elsewhere the first, so that less is tested. */
export const second = hasTwo ? 'cuda:1' : 'cuda';

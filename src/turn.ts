// How long the event loop has been kept waiting by reads.
import { setImmediate } from 'node:timers';

// A promise that is settled at once lets the loop `for (;;) await step().item()` run without ever coming back to timers
// and sockets. So only for this long, in milliseconds, after the first such read of a turn; then a read takes a turn.
const patience = 2;

// When the first read of this turn was answered at once; 0 before it.
let since = 0;

/** Whether a result that is there may be given without a turn of the event loop. @internal */
export function mayAnswerNow(): boolean {
  const now = performance.now();
  if (since !== 0) return now - since < patience;
  since = now;
  setImmediate(() => {
    since = 0;
  });
  return true;
}

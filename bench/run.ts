// Measures a row beside its peers.
import { setTimeout as sleep } from 'node:timers/promises';
import { memory } from 'thalweg';
import { limitsOf, type Machine } from './machine.js';
import { Measured } from './measure.js';
import { type Peer, PeerError } from './peer.js';
import { boundOf, type PeerResult, type RowResult } from './results.js';
import type { Row } from './rows/row.js';
import { ratios, summarize } from './stats.js';

export interface Effort {
  readonly rounds: number;
  readonly ms: number;
}

// Thread pools spin for a while after work; whoever is measured next should have the processors for itself.
const quietMs = 5;
// A row may take this much longer than its measurements are meant to, before it gets fewer rounds.
const patience = 2;
const fewestRounds = 3;

/** Who takes part in a row: it could be set up. */
interface Party {
  readonly peer: Peer;
  readonly samples: number[];
}

/** How many rounds a row gets when a measurement of everybody takes `ns` nanoseconds at least. */
export function roundsFor({ rounds, ms }: Effort, iterationNs: readonly number[]): number {
  const meant = iterationNs.length * 2 * ms;
  const needed = iterationNs.reduce((sum, ns) => sum + 2 * Math.max(ms, ns / 1e6), 0);
  const affordable = Math.floor((patience * rounds * meant) / needed);
  return Math.max(Math.min(fewestRounds, rounds), Math.min(rounds, affordable));
}

export async function measureRow(
  row: Row,
  peers: readonly Peer[],
  machine: Machine,
  effort: Effort,
  progress: (text: string) => void = () => undefined,
): Promise<RowResult> {
  progress(`${row.name}: warming up`);
  const work = new Measured(row.prepare());
  try {
    return await measureWork(row, work, peers, machine, effort, progress);
  } finally {
    await work.close();
    memory({ collect: true });
  }
}

async function measureWork(
  row: Row,
  work: Measured,
  peers: readonly Peer[],
  machine: Machine,
  effort: Effort,
  progress: (text: string) => void,
): Promise<RowResult> {
  const { name } = row;
  const { ms } = effort;
  const failed: Record<string, PeerResult> = {};
  let parties: Party[] = [];
  const drop = (peer: Peer, error: unknown): void => {
    if (!(error instanceof PeerError)) throw error;
    failed[peer.id] = { error: error.message };
    parties = parties.filter((party) => party.peer !== peer);
  };

  const iterations = [await work.warmUp(ms)];
  for (const peer of peers.filter((peer) => peer.has(name))) {
    progress(`${name}: warming ${peer.name} up`);
    try {
      iterations.push(await peer.prepare(name, ms));
      parties.push({ peer, samples: [] });
    } catch (error) {
      drop(peer, error);
    }
  }

  const ours: number[] = [];
  const rounds = roundsFor(effort, iterations);
  for (let round = 0; round < rounds; round++) {
    progress(`${name}: round ${round + 1} of ${rounds}`);
    const before = await work.measure(ms);
    await sleep(quietMs);
    const sums = new Map<Party, number>();
    // A B C C B A: what drifts evenly cancels.
    for (const party of [...parties, ...[...parties].reverse()]) {
      if (!parties.includes(party)) continue;
      try {
        sums.set(party, (sums.get(party) ?? 0) + (await party.peer.measure(name, ms)));
      } catch (error) {
        drop(party.peer, error);
      }
      await sleep(quietMs);
    }
    ours.push((before + (await work.measure(ms))) / 2);
    for (const [party, sum] of sums) party.samples.push(sum / 2);
  }
  for (const { peer } of parties) {
    await peer.release(name).catch((error: unknown) => {
      if (!(error instanceof PeerError)) throw error;
    });
  }

  const time = summarize(ours);
  return {
    name,
    what: row.what,
    unit: row.unit,
    ...(row.flops === undefined ? {} : { flops: row.flops }),
    ...(row.bytes === undefined ? {} : { bytes: row.bytes }),
    ...(row.dtype === undefined ? {} : { dtype: row.dtype }),
    time,
    samples: ours,
    ...boundOf(row, limitsOf(machine), time.median),
    peers: {
      ...Object.fromEntries(
        parties.map(({ peer, samples }): [string, PeerResult] => [
          peer.id,
          { time: summarize(samples), samples, ratio: summarize(ratios(ours, samples)) },
        ]),
      ),
      ...failed,
    },
  };
}

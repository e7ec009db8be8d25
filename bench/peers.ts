// Which libraries the rows are compared with, and how each is started. All are optional.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Device } from 'thalweg';
import { Peer, type PeerCommand } from './peer.js';

export const peerIds = ['torch', 'torch-mkl', 'inductor', 'jax', 'tfjs'] as const;
export type PeerId = (typeof peerIds)[number];

/** Column heads. */
export const peerTitles: Readonly<Record<PeerId, string>> = {
  torch: 'PyTorch',
  'torch-mkl': 'MKL unlocked',
  inductor: 'torch.compile',
  jax: 'JAX jit',
  tfjs: 'tfjs WASM',
};

/** The package's root: this file is bench/peers.ts, or dist/bench/peers.js. */
export const packageRoot = ((): string => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
})();

const script = (name: string): string => join(packageRoot, 'bench', 'peers', name);

/** Started peers, and why others are not there. Close them. */
export interface Peers {
  readonly found: readonly Peer[];
  readonly missing: readonly { readonly id: PeerId; readonly reason: string }[];
  close(): void;
}

export async function startPeers(ids: readonly PeerId[], threads: number, device: Device = 'cpu'): Promise<Peers> {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-bench-'));
  const started = await Promise.all(
    ids.map(async (id) => {
      const command = commandOf(id, threads, folder, device);
      return { id, peer: typeof command === 'string' ? command : await Peer.start(id, command) };
    }),
  );
  const found = started.flatMap(({ peer }) => (typeof peer === 'string' ? [] : [peer]));
  return {
    found,
    missing: started.flatMap(({ id, peer }) => (typeof peer === 'string' ? [{ id, reason: peer }] : [])),
    close() {
      for (const peer of found) peer.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** How to start a peer, or why it makes no sense here. */
function commandOf(id: PeerId, threads: number, folder: string, device: Device): PeerCommand | string {
  if (device !== 'cpu' && id !== 'torch' && id !== 'inductor') return `it is not compared with on '${device}'`;
  const python = process.env['THALWEG_BENCH_PYTHON'] ?? 'python3';
  const inPython = (name: string, mode: string, env?: Record<string, string>): PeerCommand => ({
    command: python,
    args: [script(name), String(threads), mode, device],
    ...(env === undefined ? {} : { env }),
  });
  switch (id) {
    case 'torch':
      return inPython('torch_peer.py', 'eager');
    case 'torch-mkl': {
      const library = unlockMkl(folder);
      return library.startsWith('/') ? inPython('torch_peer.py', 'mkl', { LD_PRELOAD: library }) : library;
    }
    case 'inductor':
      return inPython('torch_peer.py', 'inductor');
    case 'jax':
      return inPython('jax_peer.py', 'jit');
    case 'tfjs':
      return tensorflowJs(threads);
  }
}

/**
 * Intel's MKL, which PyTorch's matrix products are from, takes a slower path on processors of other makers. The check is a
 * function in a shared library; another of that name that says yes comes first. Gives the path of a library that has
 * it, or the reason why not.
 */
function unlockMkl(folder: string): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'MKL is looked at on Linux with x86-64 only';
  const vendor = /^vendor_id\s*:\s*(\S+)/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
  if (vendor !== 'AuthenticAMD') return `MKL holds nothing back on this processor (${vendor ?? 'unknown maker'})`;
  const source = join(folder, 'unlock.c');
  const library = join(folder, 'unlock.so');
  writeFileSync(source, 'int mkl_serv_intel_cpu_true(void) { return 1; }\n');
  for (const compiler of ['cc', 'gcc', 'clang']) {
    if (spawnSync(compiler, ['-shared', '-fPIC', '-o', library, source]).status === 0) return library;
  }
  return 'it takes a C compiler (cc, gcc or clang) to unlock MKL, and there is none';
}

function tensorflowJs(threads: number): PeerCommand | string {
  const folder = resolve(process.env['THALWEG_BENCH_TFJS'] ?? '.');
  const require = createRequire(join(folder, 'resolve-from-here.js'));
  const needed = ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'];
  for (const name of needed) {
    try {
      require.resolve(name);
    } catch {
      return `npm install ${needed.join(' ')} makes it available in ${folder}`;
    }
  }
  return { command: process.execPath, args: [script('tfjs_peer.mjs'), String(threads), folder] };
}

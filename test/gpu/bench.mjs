// The benchmark's rows on the device: node bench.mjs FOLDER OUTPUT.json ROWS [flags of thalweg bench ...]
import { pathToFileURL } from 'node:url';

const [folder, output, rows, ...flags] = process.argv.slice(2);
const load = (path) => import(new URL(path, pathToFileURL(`${folder}/`)).href);
const { setDefaultDevice } = await load('src/device.js');
const { main } = await load('bench/main.js');
// By default what was made for a device, what a call costs, and training steps.
const chosen = rows || '1024MB|1x100M|gemm/|^sort|^add4|^adam|^lstm|^gru|^train/|^conv';
process.exitCode = await main(['--device', 'cuda', '--json', output, '--rows', chosen, ...flags], setDefaultDevice);

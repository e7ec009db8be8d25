#!/usr/bin/env node
// npx thalweg
import { run } from './run.js';

process.exitCode = await run(process.argv.slice(2));

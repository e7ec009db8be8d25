// What test files import from 'vitest', put together from the parts of it that are plain JavaScript: on a machine with a GPU
// and without a network there is nothing but Node.js. bench/gpu.sh puts this where `vitest` is looked for.
import { ASYMMETRIC_MATCHERS_OBJECT, GLOBAL_EXPECT, customMatchers, getState, setState } from '@vitest/expect';
import { JestAsymmetricMatchers, JestChaiExpect, JestExtend, addCustomEqualityTesters } from '@vitest/expect';
import * as spies from '@vitest/spy';
import * as chai from 'chai';

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, suite, test } from '@vitest/runner';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
export const expect = Object.assign((value, message) => chai.expect(value, message), chai.expect);
expect.getState = () => getState(expect);
expect.setState = (state) => setState(state, expect);
expect.extend = (matchers) => chai.expect.extend(expect, matchers);
expect.addEqualityTesters = addCustomEqualityTesters;
globalThis[GLOBAL_EXPECT] = expect;
Object.assign(expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT]);
expect.extend(customMatchers);
expect.setState({ assertionCalls: 0, isExpectingAssertions: false, expectedAssertionsNumber: null });

const stubbed = new Map();
export const vi = {
  fn: spies.fn,
  spyOn: spies.spyOn,
  restoreAllMocks: spies.restoreAllMocks,
  stubEnv(name, value) {
    if (!stubbed.has(name)) stubbed.set(name, process.env[name]);
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  },
  unstubAllEnvs() {
    for (const [name, value] of stubbed) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    stubbed.clear();
  },
};

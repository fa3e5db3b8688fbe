import { describe, expect, it } from "vitest";
import { tellingLine } from "../../src/agent/stderr.ts";

describe("the line of an agent's stderr that tells most", () => {
  it.each([
    [
      "Node's",
      [
        "node:internal/modules/cjs/loader:1143",
        "  throw err;",
        "  ^",
        "Error: Cannot find module '/x.js'",
        "    at Module._resolveFilename (node:internal/modules/cjs/loader:1140:15)",
        "  code: 'MODULE_NOT_FOUND',",
        "}",
        "Node.js v20.20.2",
      ],
      "Error: Cannot find module '/x.js'",
    ],
    [
      "Python's",
      ["Traceback (most recent call last):", '  File "x.py", line 1, in <module>', "KeyError: 'HOME'"],
      "KeyError: 'HOME'",
    ],
    ["a shell's", ["starting", "sh: 1: agent: not found", "bye"], "sh: 1: agent: not found"],
    ["one that tells nothing", ["first", "last words", "}"], "last words"],
    ["none", [], undefined],
  ])("%s", (_, lines, telling) => expect(tellingLine(lines)).toBe(telling));
});

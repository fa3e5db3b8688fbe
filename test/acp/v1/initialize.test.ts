import { describe, expect, it } from "vitest";
import { capabilitiesOf, overlay } from "../../../src/acp/v1/initialize.ts";
import { initialized } from "../../relay/rig.ts";

describe("the answer to initialize", () => {
  it("offers what a session layer can, and keeps all that is the agent's", () => {
    const theirs = initialized(
      { fork: null, list: { paged: true }, future: {} },
      { promptCapabilities: { image: true } },
    )();
    const answer = overlay({ ...theirs, authMethods: [1], _meta: { a: 1 } });
    expect(answer).toEqual({
      ...theirs,
      authMethods: [1],
      _meta: { a: 1 },
      agentCapabilities: {
        promptCapabilities: { image: true },
        loadSession: true,
        _meta: {
          "acp-sidecar": {
            methods: [
              "_acp-sidecar/search",
              "_acp-sidecar/messages",
              "_acp-sidecar/rewind",
              "_acp-sidecar/export",
            ],
            meta: { "session/load": ["replay"], "session/fork": ["at"], "session/prompt": ["edits"] },
          },
        },
        sessionCapabilities: {
          list: { paged: true },
          resume: {},
          close: {},
          delete: {},
          fork: { _meta: { "acp-sidecar": { at: true } } },
          title: {},
          archive: {},
          status: {},
          future: {},
        },
      },
    });
    expect(capabilitiesOf(theirs)).toMatchObject({
      list: true,
      fork: false,
      load: false,
      resume: false,
    });
    expect(capabilitiesOf({ agentCapabilities: "nonsense" })).toMatchObject({
      list: false,
      load: false,
    });
  });
});

import { describe, expect, it } from "vitest";
import { newSessionId } from "../../../src/base/ids.ts";
import { rig } from "../rig.ts";
import { prompt, say, talk, written } from "../../history/talk.ts";
import { SidecarError } from "../../../src/base/errors.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { wrapStore } from "../../../src/store/shell.ts";

describe("_acp-sidecar/export [issue 10.2]", () => {
  it("answers with the session as a text, without waking the agent", async () => {
    const store = openMemoryStore();
    const { id } = await written(store, [...talk(), prompt("password=hunter2222")]);
    const relay = await rig({ store });
    const ask = (params: object) => relay.client.request("_acp-sidecar/export", { sessionId: id, ...params });
    expect(await ask({})).toMatchObject({
      sessionId: id,
      format: "markdown",
      mimeType: "text/markdown",
      content: expect.stringMatching(/^# Totals\n[^]*Please said/) as string,
    });
    const redacted = (await ask({ format: "jsonl", redact: true })) as { readonly content: string };
    expect(redacted).toMatchObject({ mimeType: "application/x-ndjson", redactions: 1 });
    expect(redacted.content).not.toContain("hunter");
    expect(await ask({ thoughts: false })).not.toMatchObject({
      content: expect.stringContaining("thinking") as string,
    });
  });

  it("refuses what is not there, what it does not know, and what is too long for an answer", async () => {
    const store = openMemoryStore();
    const { id } = await written(
      store,
      Array.from({ length: 20 }, () => say("x".repeat(600_000))),
    );
    const relay = await rig({ store });
    const ask = (params: object) => relay.client.request("_acp-sidecar/export", params);
    await expect(ask({ sessionId: newSessionId() })).rejects.toMatchObject({
      data: { code: "SESSION_NOT_FOUND" },
    });
    await expect(ask({ sessionId: id, format: "pdf" })).rejects.toMatchObject({
      data: { code: "INVALID_PARAMS" },
    });
    await expect(ask({ sessionId: id })).rejects.toMatchObject({
      message: expect.stringContaining(`acp-sidecar export ${id}`) as string,
    });
  });

  it("and a page of messages are read again where a turn ends meanwhile, and not for ever", async () => {
    const inner = openMemoryStore();
    const { id } = await written(inner, talk());
    let conflicts = 0;
    const store = wrapStore(inner, {
      async *read(...args) {
        yield* inner.read(...args);
        conflicts -= 1;
        if (conflicts >= 0) throw new SidecarError("STORE_CONFLICT", "The running turn was sealed");
      },
    });
    const relay = await rig({ store });
    for (const method of ["_acp-sidecar/export", "_acp-sidecar/messages"]) {
      const ask = () => relay.client.request(method, { sessionId: id });
      const whole = await ask();
      conflicts = 2;
      expect(await ask()).toEqual(whole);
      conflicts = 1000;
      await expect(ask()).rejects.toMatchObject({ data: { code: "STORE_CONFLICT" } });
      conflicts = 0;
    }
    await relay.close();
  });
});

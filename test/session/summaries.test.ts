import { expect, it } from "vitest";
import { newSessionId } from "../../src/base/ids.ts";
import { historyText } from "../../src/session/history-text.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { toSummarise } from "../../src/session/summaries.ts";
import { onEveryStore } from "./every-store.ts";

onEveryStore((open) => {
  it("keeps a summary that stands for what came before, and refuses one of what is not there", async () => {
    const registry = new SessionRegistry({ store: await open() });
    const { id } = await registry.create({ cwd: "/work" });
    for (const content of ["first", "second"]) await registry.addMessage(id, { role: "user", content });
    const { throughSeq, history } = await toSummarise(registry, id, 1000);
    expect([throughSeq, history]).toEqual([2, "## User\nfirst\n\n## User\nsecond"]);
    await registry.addMessage(id, { role: "user", content: "third" });
    await registry.addSummary(id, { throughSeq, content: "two things", by: "me" });
    const { text } = await historyText(registry, id, (await registry.get(id)).headSeq, 1000);
    expect(text).toBe("## Summary of what came before\ntwo things\n\n## User\nthird");
    const summary = { throughSeq, content: "x", by: "me" };
    for (const wrong of [{ throughSeq: 5 }, { throughSeq: 0 }, { throughSeq: 1.5 }, { content: [] }])
      await expect(registry.addSummary(id, { ...summary, ...wrong })).rejects.toMatchObject({
        code: "INVALID_PARAMS",
      });
    await expect(registry.addSummary(newSessionId(), summary)).rejects.toMatchObject({
      code: "SESSION_NOT_FOUND",
    });
    expect((await registry.get(id)).headSeq).toBe(4);
    await registry.close();
  });
});

/** What guests do by HTTP is told to whom the configuration names, as what a sidecar does is. */
import { expect, it } from "vitest";
import { silentLogger } from "../../src/base/log.ts";
import { noAudit } from "../../src/audit/audit.ts";
import { defaults } from "../../src/config/options.ts";
import { Guests } from "../../src/http/guests.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import type { SessionNews } from "../../src/session/events.ts";
import { openMemoryStore } from "../../src/store/memory/memory.ts";

it("every guest's registry is followed", async () => {
  await using store = openMemoryStore();
  const { secret } = await new SessionRegistry({ store }).sharing.tokens.create({
    name: "a",
    scope: "admin",
  });
  const told: SessionNews[] = [];
  const follow = (registry: SessionRegistry) => void registry.follow((news) => void told.push(news));
  const guests = new Guests({
    store,
    config: defaults,
    audit: noAudit,
    log: silentLogger,
    follow,
    perSecond: 1,
  });
  const guest = await guests.with(secret, "here", new AbortController());
  const { id } = await guest.registry.create({ cwd: "/work" });
  await guest.registry.delivered();
  expect(told.flatMap((news) => (news.type === "create" ? [news.record.id] : []))).toEqual([id]);
  await guests.close();
});

/** Who gave whom what is recorded, and no secret of a token. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { openAudit } from "../../src/audit/open.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openGuarded } from "../../src/store/guarded/open.ts";
import { auditFolder, recordsIn } from "../audit/rig.ts";

it("records shares and tokens", async () => {
  const folder = auditFolder();
  const file = path.join(folder, "audit.jsonl");
  const url = `sqlite:${path.join(folder, "s.db")}`;
  const store = await openGuarded(url, { identity: "ann" });
  const audit = openAudit({ auditFile: file, identity: "ann" });
  const registry = new SessionRegistry({ store, audit });
  const { id } = await registry.create({ cwd: folder });
  await registry.sharing.share(id, { with: "bob" });
  await registry.sharing.unshare(id, "bob");
  const { token, secret } = await registry.sharing.tokens.create({ name: "ci", scope: "read" });
  await registry.sharing.tokens.revoke(token.id);
  await registry.close();
  await store.close();
  await audit.close();
  expect(recordsIn(file).map(({ what, facts }) => [what, facts])).toEqual([
    ["session.create", undefined],
    ["session.share", { with: "bob" }],
    ["session.unshare", { with: "bob" }],
    ["token.create", { name: "ci", scope: "read", id: token.id }],
    ["token.revoke", { token: token.id }],
  ]);
  expect(fs.readFileSync(file, "utf8")).not.toContain(secret);
});

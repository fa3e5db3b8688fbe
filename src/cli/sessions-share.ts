/** `sessions share`, `unshare`, `shares`, `own`, `end`: who else may do what with a session, and an end to what goes on. */
import { isSidecarError, SidecarError } from "../base/errors.ts";
import { suggestion } from "../base/likeness.ts";
import { defaultListen } from "../http/listen.ts";
import { isPermission, permissions, scopes, type Permission } from "../store/guarded/permissions.ts";
import { askedHolder } from "../local/ending.ts";
import type { Invocation, Io } from "./command.ts";
import { Failures } from "./failures.ts";
import { countText, oneLine, print, printJson, timeText } from "./print.ts";
import { sessionAt, timeFrom, withSessions } from "./sessions.ts";
import { printTable } from "./table.ts";

const day = 86_400_000;
const shareTimes = { min: 60_000, max: 36500 * day };

export function shareSession(invocation: Invocation, io: Io): Promise<number> {
  const { flags } = invocation;
  if (flags["link"] !== undefined) return shareByLink(invocation, io);
  const name = flags["with"];
  if (typeof name !== "string")
    throw new SidecarError("USAGE", "sessions share needs --with NAME, with whom it is shared, or --link");
  if (flags["at"] !== undefined)
    throw new SidecarError("USAGE", "--at says where a link leads: it needs --link");
  const wish = {
    with: name,
    permissions: permissionsFrom(flags),
    ...(flags["ttl"] !== undefined && { untilMs: Date.now() + timeFrom("ttl", flags["ttl"], shareTimes) }),
  };
  return withSessions(invocation, io, async (registry) => {
    const { id } = await sessionAt(registry, invocation.operands[0] ?? "", io);
    const share = await registry.sharing.share(id, wish);
    const until = share.untilMs === undefined ? "" : `, until ${timeText(share.untilMs)}`;
    if (flags["json"]) await printJson(io, { id, ...share });
    else
      await print(
        io,
        oneLine(`Shared ${id} with ${share.with}: ${share.permissions.join(", ")}${until}`) + "\n",
      );
    return 0;
  });
}

export function unshareSession(invocation: Invocation, io: Io): Promise<number> {
  const name = invocation.flags["with"];
  if (invocation.flags["link"] !== undefined) return endLinks(invocation, io);
  if (typeof name !== "string")
    throw new SidecarError(
      "USAGE",
      "sessions unshare needs --with NAME, with whom it is shared no longer, or --link",
    );
  return withSessions(invocation, io, async (registry) => {
    const { id } = await sessionAt(registry, invocation.operands[0] ?? "", io);
    const wasShared = await registry.sharing.unshare(id, name);
    const text = wasShared ? `No longer shared with ${name}: ${id}` : `${id} was not shared with ${name}`;
    if (invocation.flags["json"]) await printJson(io, { id, with: name, wasShared });
    else await print(io, oneLine(text) + "\n");
    return 0;
  });
}

export function listShares(invocation: Invocation, io: Io): Promise<number> {
  return withSessions(invocation, io, async (registry) => {
    const { id } = await sessionAt(registry, invocation.operands[0] ?? "", io);
    const [owner, shares] = [await registry.sharing.ownerOf(id), await registry.sharing.shares(id)];
    const links = (await registry.sharing.links.list(id)).map(linkFacts);
    if (invocation.flags["json"]) {
      await printJson(io, { id, owner: owner ?? null, shares, links });
      return 0;
    }
    const whose = owner === undefined ? "nobody's: everybody who opens the store has it" : `${owner}'s`;
    const byLink = links.length === 0 ? "" : ` and by ${countText(links.length, "link")}`;
    await print(
      io,
      oneLine(`${id} is ${whose}, shared with ${countText(shares.length, "name")}${byLink}`) + "\n",
    );
    const until = (ms: number | undefined) => (ms === undefined ? "–" : timeText(ms));
    const rows = [
      ...shares.map((each) => [each.with, each.permissions.join(", "), until(each.untilMs), each.by]),
      ...links.map((link) => [`link ${link.token}`, "read", until(link.untilMs), owner ?? "–"]),
    ];
    if (rows.length > 0) await printTable(io, ["WITH", "MAY", "UNTIL", "BY"], rows);
    return 0;
  });
}

/** Errors: `USAGE` beside what is said to a name. */
function shareByLink(invocation: Invocation, io: Io): Promise<number> {
  const { flags } = invocation;
  const other = ["with", "write", "permissions"].find((flag) => flags[flag] !== undefined);
  if (other !== undefined) throw new SidecarError("USAGE", `--link lets read, whoever has it: no --${other}`);
  const at = addressFrom(flags["at"]);
  const untilMs =
    flags["ttl"] === undefined ? undefined : Date.now() + timeFrom("ttl", flags["ttl"], shareTimes);
  return withSessions(invocation, io, async (registry) => {
    const { id } = await sessionAt(registry, invocation.operands[0] ?? "", io);
    const made = await registry.sharing.links.make(id, { ...(untilMs !== undefined && { untilMs }) });
    const link = `${at}${made.fragment}`;
    if (flags["json"]) await printJson(io, { id, link, ...linkFacts(made.token) });
    else await print(io, `${link}\n`);
    const until = timeText(made.token.untilMs ?? 0);
    const note = `Whoever has it reads ${id} in acp-sidecar http until ${until}; sessions unshare ${id} --link ends it`;
    if (io.isTerminal === true && flags["json"] === undefined) io.errors.write(`${oneLine(note)}\n`);
    return 0;
  });
}

function endLinks(invocation: Invocation, io: Io): Promise<number> {
  if (invocation.flags["with"] !== undefined)
    throw new SidecarError("USAGE", "sessions unshare takes --with NAME or --link, one at a time");
  return withSessions(invocation, io, async (registry) => {
    const { id } = await sessionAt(registry, invocation.operands[0] ?? "", io);
    const ended = await registry.sharing.links.end(id);
    if (invocation.flags["json"]) await printJson(io, { id, links: ended });
    else await print(io, `Ended ${countText(ended, "link")} to ${id}\n`);
    return 0;
  });
}

function linkFacts({ id: token, untilMs }: { readonly id: string; readonly untilMs?: number }) {
  return { token, untilMs };
}

/** Errors: `USAGE` for what is no address of a server. */
function addressFrom(text: string | true | undefined): string {
  const given = text === undefined ? `http://${defaultListen}` : String(text);
  const url = URL.canParse(given) ? new URL(given) : undefined;
  // The page asks for what it needs from the root of its server.
  const isPlain = url?.pathname === "/" && url.search === "" && url.hash === "" && url.username === "";
  if (isPlain && /^https?:$/.test(url.protocol)) return url.href;
  throw new SidecarError(
    "USAGE",
    `--at is ${JSON.stringify(given)}, which is no address of a server, with no path; for example http://127.0.0.1:7433`,
  );
}

export function ownSessions(invocation: Invocation, io: Io): Promise<number> {
  return withSessions(invocation, io, async (registry) => {
    const failures = new Failures(io);
    const own: string[] = [];
    for (const address of invocation.operands)
      await failures.of(address, async () => {
        const { id } = await sessionAt(registry, address, io, "include");
        await registry.sharing.own(id);
        own.push(id);
      });
    if (invocation.flags["json"]) await printJson(io, { own, failed: failures.list });
    else if (own.length > 0) {
      const name = oneLine((await registry.sharing.principal()) ?? "");
      await print(
        io,
        `Yours now: ${own.join(", ")}\nFrom now on seen with --identity ${name} only (or identity in the configuration)\n`,
      );
    }
    return failures.status;
  });
}

export function endSession(invocation: Invocation, io: Io): Promise<number> {
  const force = invocation.flags["force"] === true;
  return withSessions(invocation, io, async (registry) => {
    const failures = new Failures(io);
    const ended: string[] = [];
    const idle: string[] = [];
    for (const address of invocation.operands)
      await failures.of(address, async () => {
        const { id } = await sessionAt(registry, address, io, "include");
        const ask = (holder: { host: string; pid: number }) => askedHolder(holder, id, io.env);
        const ending = registry.sharing.endHolding(id, force ? { force } : { ask });
        const wasHeld = await ending.catch((error: unknown) => {
          throw onlyByForce(error);
        });
        (wasHeld ? ended : idle).push(id);
      });
    if (invocation.flags["json"]) await printJson(io, { ended, idle, failed: failures.list });
    else {
      const lines = [...ended.map((id) => `Ended ${id}`), ...idle.map((id) => `Nobody has ${id} open`)];
      await print(io, lines.map((line) => `${line}\n`).join(""));
    }
    return failures.status;
  });
}

/** What to do is another thing than for whoever only finds a session busy. */
function onlyByForce(error: unknown): unknown {
  if (!isSidecarError(error, "SESSION_BUSY")) return error;
  const { message, data } = error;
  const words = `${message}, and cannot be asked from here, or does not answer; --force ends it all the same`;
  return new SidecarError("SESSION_BUSY", words, { data: { ...data, holder: undefined }, cause: error });
}

/** Only to read, unless told. Errors: `USAGE`. */
function permissionsFrom(flags: Invocation["flags"]): readonly Permission[] {
  const { permissions: named } = flags;
  if (named === undefined) return flags["write"] === undefined ? scopes.read : scopes.write;
  if (flags["write"] !== undefined)
    throw new SidecarError("USAGE", "--write and --permissions say the same: give one of them");
  return permissionsIn(named);
}

/** Errors: `USAGE` for what is none. */
export function permissionsIn(text: string | true): readonly Permission[] {
  const words = String(text)
    .split(",")
    .map((word) => word.trim());
  const wrong = words.find((word) => !isPermission(word));
  if (wrong === undefined) return words.filter(isPermission);
  const meant = suggestion(wrong, permissions) || `; allowed: ${permissions.join(", ")}`;
  throw new SidecarError("USAGE", `--permissions names ${JSON.stringify(wrong)}${meant}`);
}

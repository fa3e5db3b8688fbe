/** The commands about whose sessions are and who may do what with them. */
import type { Command } from "./command.ts";
import { jsonFlag as json } from "./flags.ts";
import { none, tool } from "./tool.ts";

const withFlag = {
  name: "with",
  value: "NAME",
  help: "with whom: the name that they have as their --identity",
};
const permissionsHelp = "what they may do, of read, prompt, decide, export, delete, with commas between";

export const accessCommands: readonly Command[] = [
  {
    name: "sessions share",
    summary: "let somebody else read a session, or do more with it",
    synopsis: "ID (--with NAME [--write] [--permissions LIST] | --link [--at URL]) [--ttl TIME] [--json]",
    flags: [
      withFlag,
      {
        name: "link",
        help: "print an address by which whoever has it reads the session in acp-sidecar http, for a week or --ttl",
      },
      { name: "at", value: "URL", help: "where they reach that server (http://127.0.0.1:7433)" },
      { name: "write", help: "also prompt, decide what the agent asks permission for, and export or fork" },
      { name: "permissions", value: "LIST", help: permissionsHelp },
      { name: "ttl", value: "TIME", help: "for so long: 2h, 7d" },
      json,
    ],
    operands: { min: 1, max: 1 },
    options: ["store", "identity"],
    notes: [
      "ID as in sessions show. Only its owner, or an admin, shares a session; a second time with the same name is in the place of the first.",
      "A session that was made without an identity is everybody's who can open the store: sessions own makes it yours.",
      "A link holds a token that reads this one session. It is printed this once; sessions shares lists those that there are, sessions unshare ID --link ends them.",
    ],
    run: tool("shareSession"),
  },
  {
    name: "sessions unshare",
    summary: "share a session with somebody no longer; whoever is writing to it is stopped",
    synopsis: "ID (--with NAME | --link) [--json]",
    flags: [withFlag, { name: "link", help: "end all links to it" }, json],
    operands: { min: 1, max: 1 },
    options: ["store", "identity"],
    run: tool("unshareSession"),
  },
  {
    name: "sessions shares",
    summary: "say whose a session is and with whom it is shared",
    synopsis: "ID [--json]",
    flags: [json],
    operands: { min: 1, max: 1 },
    options: ["store", "identity"],
    run: tool("listShares"),
  },
  {
    name: "sessions own",
    summary: "make sessions yours that are nobody's",
    synopsis: "ID… [--json]",
    flags: [json],
    operands: { min: 1, max: Infinity },
    options: ["store", "identity"],
    notes: [
      "Those from before, and those made without an identity, are nobody's: everybody who can open the store has them.",
    ],
    run: tool("ownSessions"),
  },
  {
    name: "sessions end",
    summary: "end sessions wherever they are open; what was said stays",
    synopsis: "ID… [--force] [--json]",
    flags: [{ name: "force", help: "ask nobody, and take them, also in the middle of a turn" }, json],
    operands: { min: 1, max: Infinity },
    options: ["store", "identity"],
    notes: [
      "For the owner and for admins. A sidecar of yours on this machine is asked to end it: a turn that runs is cancelled there, as in an editor, and its client is told at once.",
      "From any other one, and with --force, it is taken: the client there is told within a third of --lease-ttl, and has to load the session again.",
    ],
    run: tool("endSession"),
  },
  {
    name: "token create",
    summary: "make a token, which acts for you with less than you may, and print it this once",
    synopsis:
      "--name NAME --scope read|write|admin [--permissions LIST] [--session ID,ID…] [--cwd DIR] [--ttl TIME] [--json]",
    flags: [
      { name: "name", value: "NAME", help: "what it is called in lists" },
      {
        name: "scope",
        value: "read|write|admin",
        help: "read; also prompt, decide, export; also delete, share, end, and all that you reach",
      },
      { name: "permissions", value: "LIST", help: "of what the scope has only these" },
      {
        name: "session",
        value: "ID",
        help: "only for these sessions, with commas between; it makes none then",
      },
      { name: "cwd", value: "DIR", help: "only for sessions of this folder and those in it" },
      { name: "ttl", value: "TIME", help: "for so long: 12h, 90d" },
      json,
    ],
    operands: none,
    options: ["store", "identity"],
    notes: [
      "Kept is only a hash of it, in the store. Use it with --token file:PATH or env:NAME, never as an argument or in a URL, where others see it.",
    ],
    run: tool("createToken"),
  },
  {
    name: "token ls",
    summary: "list the tokens that you have made; an admin's are all",
    synopsis: "[--json]",
    flags: [json],
    operands: none,
    options: ["store", "identity"],
    run: tool("listTokens"),
  },
  {
    name: "token revoke",
    summary: "make a token worthless; what acts by it stops within seconds",
    synopsis: "ID|NAME [--json]",
    flags: [json],
    operands: { min: 1, max: 1 },
    options: ["store", "identity"],
    run: tool("revokeToken"),
  },
  {
    name: "row-security",
    summary: "have PostgreSQL give each role its own rows, and nobody else's, whatever program it uses",
    synopsis: "on|off|status [--roles NAME,NAME…] [--json]",
    flags: [
      {
        name: "roles",
        value: "NAME",
        help: "roles of the server that may use the store, with commas between",
      },
      json,
    ],
    operands: { min: 1, max: 1, oneOf: ["on", "off", "status"] },
    notes: [
      "Run by the role that owns the tables; rows that are there already become that role's. Each person then opens the store as their role.",
      "Between roles nothing is shared, and each searches an index of their own. Owners of the tables see their own rows; superusers see all.",
    ],
    run: tool("rowSecurity"),
  },
];

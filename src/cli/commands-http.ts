/** The command that serves browsers and programs. */
import type { Command } from "./command.ts";

export const httpCommand: Command = {
  name: "http",
  summary: "serve sessions to browsers and programs on this machine: a web view and a JSON API",
  synopsis: "[--listen ADDRESS] [--rate N] [--open] [options] [-- agent-command args…]",
  flags: [
    {
      name: "listen",
      value: "ADDRESS",
      help: "127.0.0.1:PORT or unix:PATH (default 127.0.0.1:7433; port 0 is any free one)",
    },
    {
      name: "rate",
      value: "N",
      help: "requests of one token that are answered in a second (default 2000)",
    },
    { name: "open", help: "open the web view in the browser, with a token that ends with this process" },
  ],
  operands: "agentAfterDashes",
  options: ["store", "identity"],
  notes: [
    "Every request needs a token: Authorization: Bearer TOKEN; acp-sidecar token create makes one.",
    "What it can do is said by /api/openapi.json. Prompts go to the agent's command that is named here.",
    "It listens to this machine only: for others, put a proxy with TLS before it. Ctrl-C ends it.",
  ],
  run: async (invocation, io) => (await import("./http.ts")).serveHttp(invocation, io),
};

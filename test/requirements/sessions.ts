/** The method table, attaching, and who may write. */
import type { RequirementTable } from "./manifest.ts";

export const sessionRequirements: RequirementTable = {
  "protocol.md: Methods, initialize": {
    "initialize-overlay": "loadSession and session list, resume, close, delete and fork are always offered",
    "initialize-agent": "all else in the answer is the agent's own",
    "initialize-version":
      "the version is 1, whatever was asked, to the client and to the agent; one of another version is refused",
    "initialize-client": "client capabilities and info reach the agent and are kept for every session",
    "echo-agent": "without an agent command the built-in echo agent answers",
  },
  "protocol.md: Methods, authenticate and logout": {
    "authenticate-forward": "authenticate and logout are forwarded",
    "providers-repeat": "of each provider the last setting is repeated after an agent restart",
    "authenticate-repeat": "a success is repeated after an agent restart, and not after a logout",
  },
  "protocol.md: Methods, session/new": {
    "new-id": "the answer carries a ULID of ours and the agent's modes and options",
    "new-record": "cwd, directories, MCP server names, client and agent facts are kept",
    "new-secrets": "MCP commands, env and headers are never stored and never logged",
    "new-early": "what the agent says of a session before we have answered comes behind our answer",
    "new-limit": "beyond maxSessions live sessions there is a clear error",
  },
  "history.md: Over ACP": {
    "search-method":
      "_acp-sidecar/search finds what was said in all sessions, from the store, without the agent",
    "rewind-method":
      "_acp-sidecar/rewind keeps what it supersedes, shows and hands over nothing of it, and survives a kill",
    "edit-prompt": "a prompt that edits another stands in its place, for the agent too",
    "load-window": "session/load replays a part on request, and says what it left out",
    "messages-method": "_acp-sidecar/messages gives a session page by page, backwards",
    "export-method": "_acp-sidecar/export gives a stored session as one text, as its schema has it",
  },
  "protocol.md: Methods, session/prompt": {
    "prompt-updates": "every update reaches the client, in order, before the answer",
    "prompt-journal": "prompt, updates and end are journaled",
    "prompt-result": "stop reason and the rest of the agent's result reach the client",
    "prompt-error": "an agent's error reaches the client as it is, and ends the turn",
    "prompt-title": "the first prompt gives the title unless the agent sets one",
    "prompt-second": "a second prompt while a turn runs is forwarded too",
    "prompt-outside": "updates outside a turn are journaled and forwarded",
  },
  "protocol.md: Methods, session/cancel": {
    "cancel-forward": "cancel reaches the agent, and its own answer ends the turn",
    "cancel-grace": "after the grace time we answer cancelled ourselves",
    "cancel-permission": "the agent's open permission requests are then answered cancelled",
    "cancel-late": "later updates of that turn are journaled and kept from the client",
    "cancel-idle": "cancelling an idle session reaches the agent; of an unknown one nobody hears",
  },
  "protocol.md: Methods, session/load": {
    "load-messages": "whole messages in order of first appearance",
    "load-tools": "tool calls once, in final state, with content, raw input and output",
    "load-plan": "a turn's plan in its last form",
    "load-state": "commands, mode, options, usage and title: the last value once",
    "load-before-answer": "no update of the replay comes after the answer",
    "load-others": "other sessions are not held up",
    "load-memory": "memory stays flat however long the history",
    "load-cwd": "a cwd that differs is refused with both named",
    "load-live": "a session that is live here can be loaded too",
    "load-names":
      "a session is one, by our id and by the agent's; the client is told of it by the one it used last",
  },
  "protocol.md: Methods, session/resume": {
    "resume-quiet": "as load, without replay",
  },
  "protocol.md: Methods, session/list": {
    "list-order": "newest activity first, with title and updatedAt",
    "list-cwd": "the cwd filter",
    "list-pages": "opaque cursors, no session missed or doubled",
    "list-cursor": "a bad cursor is an error",
    "list-facts": "facts of ours in _meta",
    "list-agent": "sessions of a listing agent are appended, and ours once they are loaded",
  },
  "history.md: Over ACP, archive, status and titles": {
    "archive-any-agent":
      "archive, unarchive and status are answered from the store, and the agent is not asked",
    "archive-opens": "archiving ends a turn as close does, and loading brings the session back",
    "list-filters": "session/list takes `archived` and filters of ours in _meta, and refuses others",
    "title-stored": "a title is set without opening the session or waking the agent",
    "commands-ours":
      "a prompt with /sidecar is answered by us, marked, journaled, and never reaches the agent",
    "commands-offered":
      "an agent's slash commands have ours behind them, unless it has one of that name; ours stand alone where it has none",
  },
  "protocol.md: Methods, close, delete and fork": {
    "close-turn": "close ends the turn as cancel does",
    "close-release": "close releases lease and agent session and keeps the history",
    "delete-gone": "a deleted session is gone from list, load and store",
    "delete-unknown": "deleting the unknown succeeds",
    "delete-forward": "delete reaches an agent that can delete",
    "fork-head": "a fork shares the history up to the head",
    "fork-point": "a fork shares the history up to _meta atSeq",
    "fork-apart": "parent and fork go on independently, and outlive one another",
  },
  "protocol.md: Methods, set_mode and set_config_option": {
    "settings-forward": "both are forwarded with the agent's answer",
    "settings-reapply": "both are chosen again after an attach",
    "settings-answered": "a load or resume answers with the mode and the options that are chosen now",
  },
  "protocol.md: Attaching a stored session to an agent": {
    "attach-resume": "session/resume is used first",
    "attach-load": "else session/load, with its replay swallowed",
    "attach-own-program":
      "turns that were made in the agent's own program are taken in once, marked; that its history differs is told",
    "attach-new": "else session/new and a handover with the next prompt",
    "attach-forgotten": "an agent that has forgotten the session is given the next way",
    "handover-form": "the handover is an embedded resource where the agent takes one, text where not",
    "handover-marked": "the handover is clearly marked as history",
    "handover-budget": "within a budget the newest turns survive",
    "handover-once": "only the next prompt is preceded by it",
    "handover-hidden": "the client sees only its own prompt",
    "attach-other-agent": "a session goes on with a different agent",
    "attach-auth": "an authentication error reaches the client as it is",
  },
  "protocol.md: Faithful before clever": {
    "settings-again":
      "what was chosen is chosen again until nothing differs: modes, models, options with their type",
    "settings-no-news": "what is chosen again is no news, to the journal or to the client",
    "settings-owed":
      "what an agent does not take again is owed, over restarts, and the client is told what is so",
    "subagents-named":
      "the client sees ids of ours for subagents' sessions, wherever they stand, the agent its own",
    "subagents-kept": "what subagents do is journaled, replayed, forked and deleted with their parent",
    "subagents-asked": "permissions, cancellation and requests of subagents' sessions reach the other side",
    "steering-kept": "what the user says in a request that is no prompt is kept as what the user said",
    directories: "additional directories go to agents that say that they take them, and to no others",
    "system-prompt":
      "instructions that a client gives with a session are kept with it, and given again when it is set up anew",
    "setup-again": "a live session that is loaded with another setup is set up so at its agent",
    "idle-kept": "idle time takes no session away from an agent that could not take it up again",
  },
  "protocol.md: Who may write": {
    "lease-idle": "an idle holder is taken over; the last to load wins; nothing is lost",
    "lease-turn": "a holder in a turn refuses with SESSION_BUSY, holder and since",
    "lease-on-busy-error": "--on-busy error refuses both",
    "lease-on-busy-takeover": "--on-busy takeover takes both",
    "lease-lost": "a fenced holder answers LEASE_LOST, says who has it and that loading brings it back",
    "lease-dead": "a holder whose process is dead holds nothing",
    "lease-expired": "a holder whose lease has run out holds nothing",
    "lease-race": "of several that load at once exactly one may write",
  },
};

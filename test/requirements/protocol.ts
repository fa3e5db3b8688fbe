/** What passes through, the bad-input table, framing, and the agent's process. */
import type { RequirementTable } from "./manifest.ts";

export const protocolRequirements: RequirementTable = {
  "protocol.md: What the sidecar does with the protocol": {
    "stdout-protocol-only": "stdout carries protocol messages and nothing else, ever",
    "schema-valid": "every message emitted, to the client and to the agent, is valid by the official schema",
  },
  "protocol.md: Passing through": {
    "pass-method": "unknown methods travel both ways unchanged, and so do their answers",
    "pass-notification": "unknown notifications travel both ways unchanged",
    "pass-update": "update kinds that we do not know reach the client unchanged and are replayed",
    "pass-fields": "unknown fields and _meta travel unchanged, in requests, results, updates and content",
    "translate-session-id": "the client sees only our session ids, the agent only its own",
    "agent-requests":
      "fs, terminal, permission, elicitation and unknown requests reach the client and are answered",
    "agent-request-errors": "a client's error answer reaches the agent with its code and message",
    "agent-request-ids": "an agent's request is answered under its own id, 0 and the empty string among them",
    "agent-requests-journaled": "an agent's requests and their answers are journaled",
    "agent-request-order": "an agent's request does not overtake the updates before it",
    "cancel-request-to-agent": "$/cancel_request of the client names the forwarded request to the agent",
    "cancel-request-to-client": "$/cancel_request of the agent names the forwarded request to the client",
    "echo-ids": "request ids are echoed exactly, strings and numbers, 0 and the empty string",
  },
  "JSON-RPC 2.0: Response object": {
    "answer-once": "every request, of either side, is answered exactly once, whatever it is",
  },
  "architecture.md: The way of an update": {
    "back-pressure": "a client that reads slowly makes the agent wait; memory stays bounded, nothing is lost",
  },
  "ACP v1: elicitation": {
    "elicitation-request-scope":
      "an elicitation that belongs to a request names it to the client by the client's own id",
  },
  "protocol.md: Bad input": {
    "bad-json": "what is not JSON is answered -32700 with id null; the connection goes on",
    "bad-envelope": "no object, a batch or a wrong envelope is answered -32600; the connection goes on",
    "bad-too-long":
      "a line beyond the limit is answered -32600 naming the limit, under its id where that shows, and skipped unheld",
    "bad-uninitialized": "a method before initialize is answered -32600 that says so",
    "bad-params": "invalid params are answered -32602 with data.issues of path and message",
    "bad-session": "an unknown session is answered -32002 with SESSION_NOT_FOUND and the id",
    "bad-cwd": "a cwd that is not absolute is answered -32602",
    "bad-store": "a failing store is answered with data.code STORE_…, never a silent loss or a crash",
    "bad-nothing": "unknown notifications and cancelling nothing are answered by nothing",
    "errors-coded": "every error of ours has a one-line message and a stable data.code",
  },
  "protocol.md: Harnesses": {
    "framing-headers": "a first Content-Length switches to header framing, both ways",
    "framing-lines": "otherwise newline-delimited JSON, whatever the chunks and line ends",
  },
  "protocol.md: The agent's process": {
    "agent-noise": "non-JSON on the agent's stdout is skipped, and logged in sum",
    "agent-stderr":
      "the agent's stderr goes to ours as it comes, beside our log; nobody waits until it is read",
    "agent-start-failure":
      "an agent that cannot be started, dies at start or refuses is reported with its reason",
    "agent-death-error":
      "an agent's death ends running prompts with an error that carries status and last stderr lines",
    "agent-death-kept": "what was streamed before the agent died is kept",
    "agent-restart": "the next request starts the agent again; the client need not know",
    "agent-restart-initialize": "a restarted agent is initialised with what the client had sent",
    "agent-restart-cap": "restarts are spaced and capped, and the error then says so",
    "shutdown-eof": "when stdin closes, everything is ended and the exit status is 0",
    "shutdown-signals": "SIGTERM, SIGINT and SIGHUP end everything with exit status 0",
    "shutdown-any-state":
      "idle, streaming, waiting for permission, attaching or starting: the end comes in time",
    "shutdown-turn-kept": "a turn that a shutdown ends keeps what was streamed",
    "shutdown-agent-stdin": "the agent's stdin is closed before it is signalled",
    "shutdown-stubborn": "an agent that ignores EOF and SIGTERM is killed",
    "shutdown-group": "the agent's whole process group is stopped; no orphan stays",
    "shutdown-client-gone": "a client that vanishes leaves no process behind",
    "leftover-agent":
      "an agent left over from a killed sidecar is stopped by the next one that starts, and by whoever attaches its session",
  },
};

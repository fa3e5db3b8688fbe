/** What the descriptions of session management behind this project ask for, by their own numbers. */
import type { RequirementTable } from "./manifest.ts";

export const seedRequirements: RequirementTable = {
  "seeds.md: A, session manager of a local-model agent": {
    A1: "sessions have sortable unique ids that are a type of their own, checked on entry",
    A2: "create, get, update, add a message, delete",
    A3: "list, count and statistics",
    A4: "what has expired is cleaned up, and how many is said",
    A5: "limits and times have defaults, are validated, and say so when they are reached",
    A6: "messages are ordered, timed, validated and limited",
    A7: "hooks are told what happens",
    A8: "what is read can be worked with and changes nothing in the store",
    A9: "every failure has a code of its own",
    A10: "concurrent access is safe, and updates stay whole",
  },
  "seeds.md: B, session manager of an ACP agent": {
    B1: "the record: id, times, client capabilities, MCP server names",
    B2: "a message: role, content, time",
    B3: "update by function, access time kept",
    B4: "a background clean-up by interval and age, both configurable, logged",
    B5: "ending a session gives back what it was",
  },
  "seeds.md: C, in-memory manager behind an interface": {
    C1: "one interface, of which memory is an implementation",
    C2: "copies are deep: no change from outside reaches the store",
    C3: "touch, end, list, and expiry of what was idle",
    C4: "not found and duplicate are errors of their own",
  },
  "seeds.md: D, the production plan": {
    "D2.2":
      "who holds sessions has a heartbeat that others on the machine can see, and is seen when it does not answer",
    "D2.3": "a session, or a whole process, is ended from outside in order, and its client is told",
    "D6.1": "HTTP: sessions are listed, made, looked at, deleted, and live longer",
    "D6.2":
      "HTTP: a history is read by pages and cleared, messages are added and looked at, sessions are exported",
    "D6.3": "HTTP: a session's context is read, changed, forgotten and looked at anew",
    "D7.1": "figures: times of operations and stores, memory, how much is stored, hits of caches",
  },
};

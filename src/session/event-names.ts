/** The names of events, for callers without types. */
import { SidecarError } from "../base/errors.ts";

const listed = {
  create: true,
  idle: true,
  append: true,
  seal: true,
  turnEnd: true,
  update: true,
  archive: true,
  settings: true,
  end: true,
  expire: true,
  restore: true,
  access: true,
};

/** All of `SessionEvent`, or events.ts does not compile. */
export type EventName = keyof typeof listed;

/** Errors: `INVALID_PARAMS` for one that there is not. */
export function checkEvent(event: EventName): void {
  if (Object.hasOwn(listed, event)) return;
  const names = Object.keys(listed).join(", ");
  throw new SidecarError("INVALID_PARAMS", `event must be one of ${names}`, { data: { at: "event" } });
}

/** One event as it is sent: text/event-stream, https://html.spec.whatwg.org/multipage/server-sent-events.html */
import { jsonTextOf } from "../../base/json-text.ts";

export interface Frame {
  /** What `Last-Event-ID` says of whoever had it. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** JSON has no end of a line in it. */
export function frameOf(event: string, id: string, data: unknown): Frame {
  return { id, bytes: Buffer.from(`id: ${id}\nevent: ${event}\ndata: ${jsonTextOf(data)}\n\n`) };
}

/** Says only that somebody is there. */
export const heartbeat: Uint8Array = Buffer.from(": \n\n");

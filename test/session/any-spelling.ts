/** JSON as anybody may write it: the same value with white space, escapes, and members that are named twice. */
import fc from "fast-check";

/** Draws how the next thing is written. */
export type Draw = (below: number) => number;

/** Any way to write a value; `draws` are used one after the other, and then there is nothing odd any more. */
export function spelled(value: unknown, draw: Draw): string {
  if (typeof value === "string") return textOf(value, draw);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((each) => spaced(spelled(each, draw), draw)).join(",")}]`;
  const members = Object.entries(value).filter(([, each]) => each !== undefined);
  const texts = members.flatMap(([name, each]) => {
    const text = (of: unknown) =>
      spaced(`${spaced(textOf(name, draw), draw)}:${spaced(spelled(of, draw), draw)}`, draw);
    return draw(12) === 1 ? [text(odd[draw(odd.length)]), text(each)] : [text(each)];
  });
  return `{${texts.join(",")}}`;
}

const odd = [
  null,
  1,
  "other",
  [],
  {},
  { sessionUpdate: "tool_call", toolCallId: "other", title: "other" },
  { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "other" } },
];

function textOf(text: string, draw: Draw): string {
  const plain = JSON.stringify(text);
  if (text === "" || plain.includes("\\") || draw(12) !== 1) return plain;
  const at = draw(text.length);
  const code = text.charCodeAt(at).toString(16).padStart(4, "0");
  return `${JSON.stringify(text.slice(0, at)).slice(0, -1)}\\u${code}${JSON.stringify(text.slice(at + 1)).slice(1)}`;
}

const spaced = (text: string, draw: Draw) => [text, ` ${text}`, `${text} `, `\t${text} `][draw(16)] ?? text;

/** How something is written. */
export const anyDraw: fc.Arbitrary<Draw> = fc
  .infiniteStream(fc.nat(1 << 16))
  .map((stream) => (below: number) => (stream.next().value as number) % below);

/** What a text says, whoever wrote it. */
export const meant = (text: string): string => JSON.stringify(sorted(JSON.parse(text)));

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => [name, sorted(each)]);
}

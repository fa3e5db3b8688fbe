/** What an agent put on its wire, kept as a fixture: paths, ids of this machine and long lists taken out. */
import fs from "node:fs";
import path from "node:path";

/** A list of options or commands longer than this says nothing more. */
const mostOfAList = 4;

export function writeWire(folder, name, version, { wires }, scratch) {
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${name.toLowerCase().replace(/\W+/g, "-")}.ndjson`);
  const lines = wires.flatMap((wire, process) =>
    thinned(wire).map(({ from, message }) => ({ process, from, message })),
  );
  const text = [
    JSON.stringify({ agent: name, version }),
    ...lines.map((line) => JSON.stringify(shortened(line))),
  ].join("\n");
  fs.writeFileSync(file, `${cleaned(text, scratch)}\n`);
}

/** Of a long answer in hundreds of pieces the first are enough. */
function thinned(wire) {
  let pieces = 0;
  return wire.filter(({ message }) => {
    if (message.params?.update?.sessionUpdate !== "agent_message_chunk") {
      pieces = 0;
      return true;
    }
    return (pieces += 1) <= 12;
  });
}

function shortened(value) {
  if (Array.isArray(value)) return value.slice(0, mostOfAList).map(shortened);
  if (typeof value !== "object" || value === null)
    return typeof value === "string" ? value.slice(0, 400) : value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shortened(each)]));
}

function cleaned(text, scratch) {
  const escaped = scratch.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return text
    .replace(new RegExp(`${escaped}/[\\w-]+`, "g"), "/home/user")
    .replaceAll(scratch, "/home")
    .replace(/\/tmp\/[\w./-]*/g, "/home/user/temporary")
    .replace(/http:\/\/127\.0\.0\.1:\d+/g, "http://127.0.0.1:1");
}

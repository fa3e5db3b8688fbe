/**
 * The official JSON Schema as a judge of single messages. Stable v1 judges all that it knows; methods and
 * update kinds that only the unstable schema knows are judged by that; what neither knows is an extension,
 * of which only the envelope can be judged.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Fields, Message } from "./wire.ts";

/** Who handles a method: the schema's `x-side`. */
export type Side = "agent" | "client";
type Role = "Request" | "Response" | "Notification";

interface Definition {
  readonly "x-method"?: string;
  readonly "x-side"?: Side | "protocol" | "proxy";
}

interface Schema extends Fields {
  readonly $defs: Readonly<Record<string, Definition>>;
}

const knownUpdates = (schema: Schema): string[] => {
  const union = schema.$defs["SessionUpdate"] as {
    oneOf: { properties: { sessionUpdate: { const: string } } }[];
  };
  return union.oneOf.map(({ properties }) => properties.sessionUpdate.const);
};

class Edition {
  readonly updates: ReadonlySet<string>;
  readonly #ajv: Ajv2020;
  readonly #names = new Map<string, string>();
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(file: string) {
    const url = import.meta.resolve("@agentclientprotocol/sdk");
    const path = fileURLToPath(new URL(`../../../schema/v1/${file}`, url));
    const schema = JSON.parse(readFileSync(path, "utf8")) as Schema;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(this.#ajv);
    for (const format of ["uint16", "uint32", "uint64", "int32", "int64"]) {
      this.#ajv.addFormat(format, { type: "number", validate: Number.isInteger });
    }
    for (const format of ["float", "double"]) this.#ajv.addFormat(format, true);
    this.#ajv.addSchema(schema, "acp");
    this.updates = new Set(knownUpdates(schema));
    for (const [name, { "x-method": method, "x-side": side }] of Object.entries(schema.$defs)) {
      const role = /(Request|Response|Notification)$/.exec(name)?.[1];
      if (method !== undefined && role !== undefined) this.#names.set(`${role} ${side} ${method}`, name);
    }
  }

  nameOf(role: Role, side: Side, method: string): string | undefined {
    return this.#names.get(`${role} ${side} ${method}`) ?? this.#names.get(`${role} protocol ${method}`);
  }

  /** What is wrong with `value` as a `name`, one line each. */
  faults(name: string, value: unknown): string[] {
    let validate = this.#validators.get(name);
    if (validate === undefined) {
      validate = this.#ajv.compile({ $ref: `acp#/$defs/${name}` });
      this.#validators.set(name, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${name}${instancePath} ${message}`);
  }
}

const stable = new Edition("schema.json");
const unstable = new Edition("schema.unstable.json");

function faultsOf(role: Role, side: Side, method: string, value: unknown): string[] {
  if (method === "session/update") return updateFaults(value);
  for (const edition of [stable, unstable]) {
    const name = edition.nameOf(role, side, method);
    if (name !== undefined) return edition.faults(name, value);
  }
  return [];
}

function updateFaults(params: unknown): string[] {
  const kind = (params as { update?: { sessionUpdate?: unknown } | null } | undefined)?.update?.sessionUpdate;
  if (typeof kind !== "string") return ["session/update without update.sessionUpdate"];
  const edition = [stable, unstable].find(({ updates }) => updates.has(kind));
  if (edition !== undefined) return edition.faults("SessionNotification", params);
  return typeof (params as Fields)["sessionId"] === "string" ? [] : ["session/update without sessionId"];
}

const shapes = [
  ["id", "jsonrpc", "method"],
  ["id", "jsonrpc", "method", "params"],
  ["jsonrpc", "method"],
  ["jsonrpc", "method", "params"],
  ["id", "jsonrpc", "result"],
  ["error", "id", "jsonrpc"],
].map((keys) => keys.join());

function envelopeFaults(message: Message): string[] {
  const keys = Object.keys(message).sort().join();
  const faults = shapes.includes(keys) ? [] : [`the envelope has the keys ${keys}`];
  if (message.jsonrpc !== "2.0") faults.push("jsonrpc is not 2.0");
  if (message.id !== undefined) faults.push(...stable.faults("RequestId", message.id));
  return faults;
}

/** Every error is one line that a person can read. */
function errorFaults(error: unknown): string[] {
  const faults = stable.faults("Error", error);
  const { message } = error as { message?: unknown };
  if (typeof message !== "string" || message.trim() === "") faults.push("the error has no message");
  else if (/[\r\n]/.test(message)) faults.push("the error's message has several lines");
  return faults;
}

/**
 * What is wrong with a message that was sent to `receiver`. `methodOf` names the method of the request that
 * a response answers; undefined when there was none.
 */
export function faultsOfMessage(
  message: Message,
  receiver: Side,
  methodOf: (response: Message) => string | undefined,
): string[] {
  const faults = envelopeFaults(message);
  if (message.method !== undefined) {
    const role: Role = message.id === undefined ? "Notification" : "Request";
    return [...faults, ...faultsOf(role, receiver, message.method, message.params)];
  }
  if (message.error !== undefined) return [...faults, ...errorFaults(message.error)];
  const method = methodOf(message);
  if (method === undefined) return [...faults, "a result that answers no request"];
  const handler: Side = receiver === "client" ? "agent" : "client";
  return [...faults, ...faultsOf("Response", handler, method, message.result)];
}

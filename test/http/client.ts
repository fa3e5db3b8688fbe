/** A client made from the document alone: an operation is called by its name, and where each value goes the document says. */
import type { Document } from "./judge.ts";

export interface Given {
  /** By their names, wherever they go: path, query, headers. */
  readonly [name: string]: string | number | undefined;
}

type Send = (
  method: string,
  path: string,
  asking: { headers: Record<string, string>; body?: unknown },
) => Promise<Response>;

/** Throws for an operation, a parameter or a body that the document does not know. */
export function clientOf({ paths }: Document, send: Send) {
  const operations = new Map(
    Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(
        ([method, operation]) => [operation.operationId, { path, method, operation }] as const,
      ),
    ),
  );
  const call = (name: string, given: Given = {}, body?: unknown): Promise<Response> => {
    const found = operations.get(name);
    if (found === undefined) throw new Error(`no operation ${name}`);
    const { operation, method } = found;
    const query = new URLSearchParams();
    const headers: Record<string, string> = {};
    let { path } = found;
    for (const [key, value] of Object.entries(given)) {
      const parameter = operation.parameters.find((each) => each.name === key);
      if (parameter === undefined) throw new Error(`${name} has no parameter ${key}`);
      if (parameter.in === "path") path = path.replace(`{${key}}`, encodeURIComponent(String(value)));
      else if (parameter.in === "query") query.set(key, String(value));
      else headers[key] = String(value);
    }
    const missing = operation.parameters.filter((each) => each.required && given[each.name] === undefined);
    if (missing.length > 0) throw new Error(`${name} needs ${missing.map((each) => each.name).join(", ")}`);
    if (body === undefined && operation.requestBody?.required === true)
      throw new Error(`${name} needs a body`);
    if (body !== undefined && operation.requestBody === undefined) throw new Error(`${name} takes no body`);
    const search = query.size === 0 ? "" : `?${query.toString()}`;
    return send(method.toUpperCase(), path + search, { headers, ...(body !== undefined && { body }) });
  };
  return { call, names: [...operations.keys()] };
}

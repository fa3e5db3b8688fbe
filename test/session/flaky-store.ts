/** A real store whose calls fail or wait when a test says so. */
import { SidecarError } from "../../src/base/errors.ts";
import type { Store } from "../../src/store/contract.ts";

type Method =
  | "create"
  | "get"
  | "update"
  | "append"
  | "seal"
  | "acquire"
  | "renew"
  | "release"
  | "flush"
  | "delete";

export interface FlakyStore {
  readonly store: Store;
  /** The next call of `method` fails, before or after it has had its effect. */
  readonly fail: (method: Method, when: "before" | "after") => void;
  /** The next call of `method` has its effect, but settles only when the returned function is called. */
  readonly hold: (method: Method) => () => void;
  /** How often `method` was called. */
  readonly calls: (method: Method) => number;
  /** What it was called with last. */
  readonly lastCall: (method: Method) => readonly unknown[];
}

export function flaky(inner: Store): FlakyStore {
  const failing = new Map<string, "before" | "after">();
  const held = new Map<string, Promise<void>>();
  const counts = new Map<string, number>();
  const lastCalls = new Map<string, readonly unknown[]>();
  const failure = () => new SidecarError("STORE_FAILED", "The medium failed");
  const call = async (method: string, args: readonly unknown[]): Promise<unknown> => {
    counts.set(method, (counts.get(method) ?? 0) + 1);
    lastCalls.set(method, args);
    const when = failing.get(method);
    const waiting = held.get(method);
    failing.delete(method);
    held.delete(method);
    if (when === "before") throw failure();
    const act = Reflect.get(inner, method, inner) as (...args: readonly unknown[]) => Promise<unknown>;
    const result = await Reflect.apply(act, inner, args);
    if (when === "after") throw failure();
    await waiting;
    return result;
  };
  const methods: readonly string[] = [
    "create",
    "get",
    "update",
    "append",
    "seal",
    "acquire",
    "renew",
    "release",
    "flush",
    "delete",
  ] satisfies Method[];
  const store = new Proxy(inner, {
    get: (_target, name) => {
      if (typeof name === "string" && methods.includes(name)) {
        return (...args: readonly unknown[]) => call(name, args);
      }
      const value: unknown = Reflect.get(inner, name, inner);
      return typeof value === "function" ? (value.bind(inner) as unknown) : value;
    },
  });
  return {
    store,
    fail: (method, when) => failing.set(method, when),
    hold: (method) => {
      let free: () => void = () => undefined;
      held.set(method, new Promise<void>((resolve) => (free = resolve)));
      return () => free();
    },
    calls: (method) => counts.get(method) ?? 0,
    lastCall: (method) => lastCalls.get(method) ?? [],
  };
}

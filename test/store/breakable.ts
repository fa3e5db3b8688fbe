/** A store behind a switch: broken, every call fails as one to a server that cannot be reached. */
import { SidecarError } from "../../src/base/errors.ts";
import type { Store } from "../../src/store/contract.ts";

export interface Breakable {
  readonly store: Store;
  isBroken: boolean;
  /** Awaited when a call has had its effect, before the caller learns of it. */
  after: ((name: string) => Promise<void>) | undefined;
  /** Calls that came through, by name. */
  readonly calls: Record<string, number>;
}

export function breakable(inner: Store): Breakable {
  const calls: Record<string, number> = {};
  const assertWorks = () => {
    if (state.isBroken) throw new SidecarError("STORE_UNAVAILABLE", "The layer is out of reach");
  };
  const called = (name: string) => {
    assertWorks();
    calls[name] = (calls[name] ?? 0) + 1;
  };
  const store = new Proxy(inner, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function" || typeof key !== "string") return value;
      const method = value as (...args: unknown[]) => unknown;
      if (key === "close") return method.bind(target);
      if (key === "read") {
        return async function* (...args: unknown[]) {
          called(key);
          for await (const page of method.apply(target, args) as ReturnType<Store["read"]>) {
            yield page;
            assertWorks();
          }
        };
      }
      return async (...args: unknown[]) => {
        called(key);
        const result: unknown = await method.apply(target, args);
        await state.after?.(key);
        return result;
      };
    },
  });
  const state: Breakable = { store, isBroken: false, after: undefined, calls };
  return state;
}

/** A store that is opened behind the first calls, and again after a failure: starting up waits for no medium. */
import type { Store } from "./contract.ts";
import { forwarding } from "./decorate.ts";
import type { Awaitable } from "../base/awaitable.ts";
import type { StoreDriver } from "./driver.ts";
import { defineStore } from "./shell.ts";

interface DeferredStore extends Store {
  /** Opens it ahead of the first call; a failure is that call's to report. */
  begin(): void;
}

/**
 * @param open opens the store; asked again by the next call when it has failed
 * @param around what stands around its operations, within the checks of what is asked
 */
export function deferStore(
  name: string,
  open: () => Promise<Store>,
  around: (driver: StoreDriver) => StoreDriver = (driver) => driver,
): DeferredStore {
  let opened: Store | undefined;
  let opening: Promise<Store> | undefined;
  let closed = false;
  const store = (): Store | Promise<Store> => {
    if (opened !== undefined) return opened;
    if (opening === undefined) {
      opening = open();
      // Ahead of the calls that wait for it, so that none that comes later overtakes them.
      opening.then(
        (each) => (opened = each),
        () => (opening = undefined),
      );
    }
    return opening;
  };
  const driver = forwarding(store, {
    name,
    get capabilities() {
      return opened?.capabilities ?? { persistent: false, shared: false, survivesPowerLoss: false };
    },
    get recovered() {
      return opened?.recovered;
    },
    flush: () => opened?.flush(),
    close: () => {
      closed = true;
      return opening?.then(
        (each) => each.close(),
        () => undefined,
      );
    },
  });
  const deferred = defineStore(around(driver));
  return Object.assign(deferred, { begin: () => (closed ? undefined : void quietly(store)) });
}

/** Its failure is for the next one to meet. */
async function quietly(open: () => Awaitable<unknown>): Promise<void> {
  await Promise.resolve(open()).catch(() => undefined);
}

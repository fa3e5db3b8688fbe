/** Answers that go on. */
import { responseOf } from "../response.ts";

/** Its pieces as they come, no faster than they are read, until one side ends. */
export function eventStream(pieces: AsyncGenerator<Uint8Array>, onEnd: () => Promise<void>): Response {
  let ended: Promise<void> | undefined;
  const end = () => (ended ??= onEnd());
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const next = await pieces.next().catch(async (error: unknown) => {
        await end();
        throw error;
      });
      if (next.done !== true) return controller.enqueue(next.value);
      await end();
      controller.close();
    },
    // The generator may wait for news: it ends with the next.
    cancel: async () => {
      void pieces.return(undefined);
      await end();
    },
  });
  return responseOf(body, 200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
}

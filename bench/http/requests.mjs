/** A client that costs little: requests that are ready, over connections that are kept, and answers that are only counted. */
import net from "node:net";

export class Requests {
  #connections;

  /** @param url of the server; @param connections how many ask at a time */
  constructor(url, headers, connections = 1) {
    const { hostname, port } = new URL(url);
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#connections = Array.from(
      { length: connections },
      () => new Asking(net.connect(Number(port), hostname), `Host: ${hostname}:${port}\r\n${head.join("")}`),
    );
  }

  /** How long each took, in ms. */
  async times(paths) {
    const times = [];
    const [one] = this.#connections;
    for (const path of paths) {
      const atMs = performance.now();
      await one.ask(path);
      times.push(performance.now() - atMs);
    }
    return times;
  }

  /** How many a second, for so long. */
  async rate(path, ms) {
    const endMs = performance.now() + ms;
    let count = 0;
    const asking = async (one) => {
      for (; performance.now() < endMs; count += 1) await one.ask(path);
    };
    const beganMs = performance.now();
    await Promise.all(this.#connections.map(asking));
    return (count / (performance.now() - beganMs)) * 1000;
  }

  close() {
    for (const each of this.#connections) each.close();
  }
}

/** Answers must say how long they are. */
class Asking {
  #socket;
  #head;
  #seen = Buffer.alloc(0);
  #left = -1;
  #done;

  constructor(socket, head) {
    [this.#socket, this.#head] = [socket, head];
    socket.setNoDelay(true);
    socket.on("data", (data) => this.#take(data));
  }

  ask(path) {
    return new Promise((resolve, reject) => {
      this.#done = { resolve, reject };
      this.#socket.write(`GET ${path} HTTP/1.1\r\n${this.#head}\r\n`);
    });
  }

  close() {
    this.#socket.destroy();
  }

  #take(data) {
    if (this.#left < 0) {
      this.#seen = this.#seen.length === 0 ? data : Buffer.concat([this.#seen, data]);
      const end = this.#seen.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = this.#seen.toString("latin1", 0, end);
      if (!head.startsWith("HTTP/1.1 200")) return this.#done.reject(new Error(head));
      this.#left = Number(/content-length: (\d+)/i.exec(head)[1]) - (this.#seen.length - end - 4);
      this.#seen = Buffer.alloc(0);
    } else this.#left -= data.length;
    if (this.#left > 0) return;
    this.#left = -1;
    this.#done.resolve();
  }
}

// A network that lets requests through, and no WebSocket.

import { once } from "node:events";
import net from "node:net";

export class Network {
  #listener;
  #streams = new Set();

  /** What becomes of a WebSocket: it is "cut" at once, or "swallowed", so that nobody ever answers. */
  static async before(server, fate) {
    const network = new Network();
    network.#listener = net.createServer((near) => network.#carry(near, server.port, fate)).listen(0, "127.0.0.1");
    await once(network.#listener, "listening");
    network.url = new URL(`http://127.0.0.1:${network.#listener.address().port}/`);
    return network;
  }

  #carry(near, port, fate) {
    const far = net.connect(port, "127.0.0.1");
    for (const [stream, other] of [
      [near, far],
      [far, near],
    ]) {
      this.#streams.add(stream);
      stream.on("error", () => {});
      stream.on("close", () => other.destroy());
    }
    near.on("data", (bytes) => {
      if (!/^upgrade: *websocket/im.test(bytes.toString("latin1"))) return far.write(bytes);
      if (fate === "cut") near.destroy();
    });
    far.on("data", (bytes) => near.write(bytes));
  }

  async end() {
    for (const stream of this.#streams) stream.destroy();
    this.#listener.close();
    await once(this.#listener, "close");
  }
}

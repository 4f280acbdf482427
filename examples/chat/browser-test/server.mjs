// The program under test, as a process of its own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const CHAT_BIN = process.env.CHAT_BIN ?? fileURLToPath(new URL("../../../target/debug/chat", import.meta.url));

export class Server {
  #program;

  static async start(port = 0) {
    const program = spawn(CHAT_BIN, ["--port", String(port)], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(program, "exit").then(([code]) => assert.fail(`the program ended with ${code}`));
    ended.catch(() => {});
    const [line] = await Promise.race([once(createInterface(program.stdout), "line"), ended]);
    return new Server(program, new URL(line.match(/http:\S+/)[0]));
  }

  constructor(program, url) {
    this.#program = program;
    this.url = url;
    this.port = Number(url.port);
  }

  async kill() {
    const ended = once(this.#program, "exit");
    this.#program.kill("SIGKILL");
    await ended;
  }

  /** Asks it to stop, and gives its exit code. */
  async stop() {
    const ended = once(this.#program, "exit");
    this.#program.kill("SIGTERM");
    return (await ended)[0];
  }
}

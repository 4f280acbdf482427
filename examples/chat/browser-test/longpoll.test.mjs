// The client's long-polling in Node.js, against the real program.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { LongPoll, Socket } from "../page/node_modules/phoenix/priv/static/phoenix.mjs";
import { Server } from "./server.mjs";

let server;
const sockets = [];

before(async () => {
  server = await Server.start();
});

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.disconnect();
});

after(async () => {
  await server?.kill();
});

test("what one says, both hear, in order and once", async () => {
  const ann = await enter("pair", "Ann");
  const bob = await enter("pair", "Bob");

  await ann.say("Is anybody there?");
  await bob.say("Only me.");
  await ann.say("Good.");

  const said = ["Ann: Is anybody there?", "Bob: Only me.", "Ann: Good."];
  await both([ann, bob], said.length);
  assert.deepEqual([ann.heard, bob.heard], [said, said]);
});

test("250 messages at once are three batches, and each is answered", async () => {
  const ann = await enter("batches", "Ann");
  const bob = await enter("batches", "Bob");
  const texts = Array.from({ length: 250 }, (_, n) => `message ${n}`);

  await Promise.all(texts.map((text) => ann.say(text)));

  await both([ann, bob], texts.length);
  const expected = texts.map((text) => `Ann: ${text}`);
  assert.deepEqual([ann.heard, bob.heard], [expected, expected]);
});

test("a room that may not be entered says why", async () => {
  const channel = connect().channel("room:pair", { nick: "n".repeat(25) });

  const { status, response } = await answer(channel.join());

  assert.equal(status, "error");
  assert.equal(response.field, "nick");
  channel.leave();
});

test("who leaves is gone for the others, and hears nothing more", async () => {
  const ann = await enter("leaving", "Ann");
  const bob = await enter("leaving", "Bob");
  const left = new Promise((resolve) => ann.channel.on("left", resolve));

  assert.equal((await answer(bob.channel.leave())).status, "ok");
  assert.deepEqual(await left, { nick: "Bob" });
  // Of the socket, as the channel's own handlers are gone.
  const heard = [];
  bob.socket.onMessage((message) => heard.push(message));

  await ann.say("alone");
  await both([ann], 1);
  const { status } = await answer(bob.socket.channel("room:leaving", { nick: "Bob" }).join());

  assert.equal(status, "ok");
  const before = heard.findIndex(({ event }) => event === "phx_reply");
  assert.deepEqual(heard.slice(0, before).filter(({ event }) => event === "new_msg"), []);
});

test("after the server was killed and started again, the client is back by itself", async () => {
  const ann = await enter("phoenix", "Ann");
  await ann.say("before");
  const back = new Promise((resolve) => ann.socket.onOpen(resolve));

  await server.kill();
  server = await Server.start(server.port);

  await back;
  await ann.say("after");
  assert.deepEqual(ann.heard, ["Ann: before", "Ann: after"]);
});

test("asked to stop, the program does, though somebody polls", async () => {
  const other = await Server.start();
  const socket = connect(other);
  await answer(socket.channel("room:stop", { nick: "Ann" }).join());

  assert.equal(await other.stop(), 0);
});

function connect(at = server) {
  const socket = new Socket(new URL("/socket", at.url).href, { transport: LongPoll, reconnectAfterMs: () => 50 });
  sockets.push(socket);
  socket.connect();
  return socket;
}

/** Somebody in a room, and what they hear. */
async function enter(room, nick) {
  const socket = connect();
  const channel = socket.channel(`room:${room}`, { nick });
  const person = { socket, channel, heard: [] };
  const seen = new Set();
  channel.on("new_msg", ({ id, nick, body }) => {
    // One that comes with the answer to a join and once more, is known by its id.
    if (seen.has(id)) assert.fail(`${body} came twice`);
    seen.add(id);
    person.heard.push(`${nick}: ${body}`);
  });
  person.say = async (body) => {
    const { status, response } = await answer(channel.push("new_msg", { body }));
    assert.equal(status, "ok", JSON.stringify(response));
  };
  assert.equal((await answer(channel.join())).status, "ok");
  return person;
}

function answer(push) {
  return new Promise((resolve) => {
    for (const status of ["ok", "error", "timeout"]) push.receive(status, (response) => resolve({ status, response }));
  });
}

/** Waits until so many messages have come to each. */
async function both(people, count) {
  while (people.some((person) => person.heard.length < count)) await new Promise((resolve) => setTimeout(resolve, 5));
}

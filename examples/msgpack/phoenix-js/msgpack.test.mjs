// The unmodified phoenix client in MessagePack, beside one in JSON, against the server of this example: MSGPACK_BIN.

import assert from "node:assert/strict"
import {spawn} from "node:child_process"
import {once} from "node:events"
import {createInterface} from "node:readline"
import {after, before, test} from "node:test"
import {Socket} from "phoenix"
import WebSocket from "ws"
import {options} from "./serializer.mjs"

let server, endpoint
const sockets = []

before(async () => {
  server = spawn(process.env.MSGPACK_BIN, ["0"], {stdio: ["ignore", "pipe", "inherit"]})
  const [line] = await once(createInterface({input: server.stdout}), "line")
  endpoint = line.replace(/\/websocket.*/, "")
})

after(() => {
  sockets.forEach(socket => socket.disconnect())
  server.kill()
})

function connect(more){
  const socket = new Socket(endpoint, {transport: WebSocket, ...more})
  socket.connect()
  sockets.push(socket)
  return socket
}

function answer(push){
  return new Promise((resolve, reject) => {
    push.receive("ok", resolve).receive("error", reject).receive("timeout", () => reject(new Error("no answer")))
  })
}

async function join(more){
  const channel = connect(more).channel("room:a")
  const heard = []
  let wake = () => {}
  for(const event of ["new_msg", "raw"]){
    channel.on(event, payload => { heard.push(payload); wake() })
  }
  await answer(channel.join())
  return {
    channel,
    async next(){
      while(heard.length === 0) await new Promise(resolve => { wake = resolve })
      return heard.shift()
    },
  }
}

test("clients in MessagePack and in JSON are in one room", async () => {
  const [packed, json] = await Promise.all([join(options), join()])

  assert.deepEqual(await answer(packed.channel.push("new_msg", {body: "hällo", n: [1, 2.5, null]})), {body: "hällo", n: [1, 2.5, null]})
  assert.deepEqual(await json.next(), {body: "hällo", n: [1, 2.5, null]})
  await answer(json.channel.push("new_msg", {body: "back"}))
  assert.deepEqual(await packed.next(), {body: "back"})
  await answer(packed.channel.leave())
})

test("bytes are sent and received", async () => {
  const [ann, bob, json] = await Promise.all([join(options), join(options), join()])

  const echoed = await answer(ann.channel.push("raw", new Uint8Array([0, 255]).buffer))

  assert.deepEqual(new Uint8Array(echoed), new Uint8Array([0, 255]))
  assert.deepEqual(new Uint8Array(await bob.next()), new Uint8Array([0, 255]))
  assert.deepEqual(new Uint8Array(await json.next()), new Uint8Array([0, 255]))
})

test("heartbeats are answered", async () => {
  const socket = connect({...options, heartbeatIntervalMs: 20})
  const answers = await new Promise(resolve => {
    const statuses = []
    socket.onMessage(message => {
      if(message.topic === "phoenix" && statuses.push(message.payload.status) === 3) resolve(statuses)
    })
  })
  assert.deepEqual(answers, ["ok", "ok", "ok"])
})

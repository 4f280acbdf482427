// What phoenix.js takes as `encode` and `decode`, for MessagePack.

import {decode as unpack, encode as pack} from "@msgpack/msgpack"

export const options = {
  vsn: "3.0.0",
  encode({join_ref, ref, topic, event, payload}, callback){
    const body = payload instanceof ArrayBuffer ? new Uint8Array(payload) : payload
    callback(pack([join_ref ?? null, ref ?? null, topic, event, body]))
  },
  decode(frame, callback){
    const [join_ref, ref, topic, event, payload] = unpack(frame)
    callback({join_ref, ref, topic, event, payload})
  },
}

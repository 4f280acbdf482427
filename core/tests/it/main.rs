#![allow(missing_docs)]

mod websocket;

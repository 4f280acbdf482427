//! The values of labels: all there are, so that no client can make one.

/// An enum whose variants are the values of a label.
macro_rules! label {
    ($(#[$about:meta])* $name:ident { $($(#[$what:meta])* $variant:ident = $value:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name {
            $($(#[$what])* $variant,)*
        }

        #[cfg(feature = "metrics")]
        impl super::recorded::Label for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),*];

            fn value(self) -> &'static str {
                match self {
                    $(Self::$variant => $value,)*
                }
            }

            fn place(self) -> usize {
                self as usize
            }
        }
    };
}

label! {
    /// A limit that somebody has met.
    Limit {
        /// [`Builder::max_connections`](crate::Builder::max_connections), or the node takes nobody any more.
        Connections = "connections",
        /// [`Builder::accept_rate`](crate::Builder::accept_rate), or that of a socket.
        AcceptRate = "accept_rate",
        /// [`Handshake::timeout`](crate::serving::Handshake::timeout).
        Handshake = "handshake",
        /// [`Handshake::tls_timeout`](crate::serving::Handshake::tls_timeout).
        TlsHandshake = "tls_handshake",
        /// [`Handshake::answer_timeout`](crate::serving::Handshake::answer_timeout).
        Answer = "answer",
        /// [`RequestLimits::target`](crate::RequestLimits::target).
        RequestTarget = "request_target",
        /// [`RequestLimits::header_block`](crate::RequestLimits::header_block).
        HeaderBlock = "header_block",
        /// [`RequestLimits::headers`](crate::RequestLimits::headers).
        Headers = "headers",
        /// [`WebSocket::max_message`](crate::WebSocket::max_message).
        Message = "message",
        /// [`WebSocket::max_fragments`](crate::WebSocket::max_fragments).
        Fragments = "fragments",
        /// [`WebSocket::max_empty_fragments`](crate::WebSocket::max_empty_fragments).
        EmptyFragments = "empty_fragments",
        /// [`WebSocket::idle_timeout`](crate::WebSocket::idle_timeout).
        Idle = "idle",
        /// [`WebSocket::close_timeout`](crate::WebSocket::close_timeout).
        Close = "close",
        /// A pong that was owed when the next ping came, whose pong is sent in its place.
        #[cfg(feature = "metrics")]
        Pongs = "pongs",
        /// [`Limits::refs`](crate::Limits::refs).
        Ref = "ref",
        /// [`Limits::depth`](crate::Limits::depth).
        Depth = "depth",
        /// [`Limits::message_rate`](crate::Limits::message_rate).
        MessageRate = "message_rate",
        /// [`Limits::join_rate`](crate::Limits::join_rate).
        JoinRate = "join_rate",
        /// [`Limits::topic`](crate::Limits::topic).
        Topic = "topic",
        /// [`Limits::event`](crate::Limits::event).
        Event = "event",
        /// [`Limits::channels`](crate::Limits::channels).
        Channels = "channels",
        /// [`Limits::terminating`](crate::Limits::terminating).
        Terminating = "terminating",
        /// [`Limits::input_messages`](crate::Limits::input_messages) or its bytes: reading pauses.
        Input = "input",
        /// [`Limits::overload`](crate::Limits::overload): a channel is ended.
        Overload = "overload",
        /// [`Limits::channel_messages`](crate::Limits::channel_messages) or its bytes.
        Channel = "channel",
        /// [`Limits::outbox`](crate::Limits::outbox), or its age.
        Outbox = "outbox",
        /// [`Builder::subscription_messages`](crate::Builder::subscription_messages) or its bytes.
        Subscription = "subscription",
        /// [`LongPoll::max_body`](crate::LongPoll::max_body).
        Body = "body",
        /// [`LongPoll::body_timeout`](crate::LongPoll::body_timeout).
        BodyTimeout = "body_timeout",
        /// [`LongPoll::max_batch`](crate::LongPoll::max_batch).
        Batch = "batch",
        /// A post that has waited for [`LongPoll::window`](crate::LongPoll::window), or for which there was no room.
        PostWait = "post_wait",
        /// A session without a poll for one and a half times [`LongPoll::window`](crate::LongPoll::window).
        Session = "session",
    }
}

label! {
    /// What became of somebody who asked to connect.
    Connect {
        /// Let in.
        Ok = "ok",
        /// Refused before the application was asked.
        Door = "door",
        /// Refused by `connect`.
        Refused = "refused",
        /// `connect` has failed or panicked.
        Failed = "failed",
    }
}

label! {
    /// What became of a poll.
    Polls {
        /// It was given messages, which were handed over to be written.
        Messages = "messages",
        /// There was nothing for it: its window was over, a newer poll came, or its session ended.
        Empty = "empty",
        /// Its request went before it was answered: nothing is lost by that.
        Cut = "cut",
        /// Its session has ended, is another node's, or never was.
        Gone = "gone",
    }
}

label! {
    /// What of the messages for clients or subscribers was lost.
    Dropped {
        /// Bytes, for a member that takes only text.
        Binary = "binary",
        /// A client takes too little, and may lose broadcasts: see [`SlowConsumer`](crate::SlowConsumer).
        Slow = "slow",
        /// A subscription has lagged.
        Subscription = "subscription",
    }
}

#[cfg(feature = "metrics")]
label! {
    /// What was run of a channel.
    Handler {
        Join = "join",
        In = "handle_in",
        Out = "handle_out",
        Info = "handle_info",
        Terminate = "terminate",
    }
}

#[cfg(feature = "metrics")]
label! {
    /// What became of a join that a handler has decided.
    Join {
        Ok = "ok",
        Error = "error",
        Crash = "crash",
    }
}

#[cfg(feature = "metrics")]
label! {
    /// Which way a message goes.
    Direction {
        In = "in",
        Out = "out",
    }
}

#[cfg(feature = "metrics")]
label! {
    /// How a client is connected.
    By {
        WebSocket = "websocket",
        LongPoll = "longpoll",
        Carried = "carried",
    }
}

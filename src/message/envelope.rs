//! What the protocols inside messages say.

/// The protocol of an envelope: what is spoken inside WebSocket messages or engine.io's polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EnvelopeProtocol {
    /// engine.io 3 and 4.
    EngineIo,
    /// socket.io, in packets of engine.io.
    SocketIo,
    /// SockJS's framing.
    SockJs,
    /// The hub protocol of ASP.NET Core SignalR, as JSON or MessagePack.
    SignalR,
    /// STOMP 1.0 to 1.2.
    Stomp,
    /// MQTT 3.1, 3.1.1 and 5.
    Mqtt,
    /// WAMP 2, as JSON or MessagePack.
    Wamp,
    /// The subprotocol `graphql-transport-ws`, of the library graphql-ws.
    GraphqlTransportWs,
    /// The subprotocol `graphql-ws`, of the library subscriptions-transport-ws.
    GraphqlWs,
    /// JSON-RPC 2.0.
    JsonRpc,
}

impl EnvelopeProtocol {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::EngineIo,
        Self::SocketIo,
        Self::SockJs,
        Self::SignalR,
        Self::Stomp,
        Self::Mqtt,
        Self::Wamp,
        Self::GraphqlTransportWs,
        Self::GraphqlWs,
        Self::JsonRpc,
    ];

    /// The name that rows and reports print.
    pub fn name(self) -> &'static str {
        match self {
            Self::EngineIo => "engine.io",
            Self::SocketIo => "socket.io",
            Self::SockJs => "sockjs",
            Self::SignalR => "signalr",
            Self::Stomp => "stomp",
            Self::Mqtt => "mqtt",
            Self::Wamp => "wamp",
            Self::GraphqlTransportWs => "graphql-transport-ws",
            Self::GraphqlWs => "graphql-ws",
            Self::JsonRpc => "json-rpc",
        }
    }
}

/// What a message's envelope says. Of several packets in one message, the first one names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The protocol.
    pub protocol: EnvelopeProtocol,
    /// The type of the packet, in the protocol's words.
    pub kind: &'static str,
    /// Event, topic, method or destination; `None` when the packet has none.
    pub name: Option<Box<str>>,
    /// socket.io's namespace, when it is not the main one.
    pub namespace: Option<Box<str>>,
    /// What pairs asks with answers.
    pub id: Option<EnvelopeId>,
    /// Octets of decoded content that are the envelope's own, over all packets; `None` when it cannot be known.
    pub bytes: Option<u64>,
    /// Packets in the message, counted where they end; of a message that was not looked at to its end, it may hold more.
    pub count: u64,
}

/// An identifier in an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvelopeId {
    /// An unsigned number.
    Number(u64),
    /// Text, or a number of another kind as it was written.
    Text(Box<str>),
}

/// How long a message's answer took: from the ask's first octet to the answer's last, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// To an ask, by its id.
    Ask(u64),
    /// To a ping or another heartbeat.
    Ping(u64),
}

impl Answered {
    /// The time in nanoseconds.
    pub fn nanoseconds(self) -> u64 {
        match self {
            Self::Ask(time) | Self::Ping(time) => time,
        }
    }
}

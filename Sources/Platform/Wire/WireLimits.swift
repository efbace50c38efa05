/// How long, how large and how many: what one peer may cost. Every deadline is absolute; a byte now and then moves none.
///
/// Deadlines are checked about once a second (four times within the shortest of them), so they may fire that much late.
public struct WireLimits: Sendable, Hashable {
    /// From the first byte of a request (for the first one: from the opening of the connection, so that a TLS handshake
    /// counts) to the end of its head; then 408.
    public var headerTimeout: Duration = .seconds(10)
    /// How long a connection may stay open between two requests.
    public var idleTimeout: Duration = .seconds(60)
    /// How long the wire waits for one body in total; then 408. Time in which the endpoint is not reading does not count.
    public var bodyTimeout: Duration = .seconds(120)
    /// Bytes per second a peer must send of a body, on average after ``bodyGrace``, and accept of a response, on average
    /// over ``writeStallTimeout``.
    public var minimumBodyRate: Int = 1024
    /// How much later than ``minimumBodyRate`` asks a body may be.
    public var bodyGrace: Duration = .seconds(5)
    /// A peer that has not accepted enough of a waiting response for this long is cut off.
    public var writeStallTimeout: Duration = .seconds(20)
    /// How long a closed connection is still read, and for how many bytes, so that the peer can read its last answer
    /// instead of a reset (RFC 9112 §9.6).
    public var lingerTimeout: Duration = .seconds(1)
    public var maxLingerBytes: Int = 65_536
    /// How long a connection on which nothing was asked yet stays open once a server that stops closes the idle ones.
    public var firstRequestGrace: Duration = .milliseconds(500)

    /// The request line and all fields together; beyond: 431. Also bounds a trailer section.
    public var maxHeaderBytes: Int = 16_384
    /// Fields in one head; beyond: 431.
    public var maxHeaderCount: Int = 100
    /// The request target; beyond: 414.
    public var maxTargetBytes: Int = 8_192
    /// The largest body any endpoint accepts. A larger `Content-Length`, or a chunk that would exceed it, is refused with
    /// 413 before it is read.
    public var maxDeclaredBody: Int = 16 * 1_048_576
    /// Bytes a peer may send ahead of the request being answered. They wait unparsed; beyond, the socket is not read.
    public var maxReadAheadBytes: Int = 16_384

    /// Open connections; beyond, new ones wait in the listener's backlog. Never more than the descriptor limit allows.
    public var maxConnections: Int = 4_096
    /// Open connections from one address; beyond, a new one is closed at once. 0 is unlimited: right behind a proxy, whose
    /// address is everyone's.
    public var maxConnectionsPerAddress: Int = 256

    public init() {}
}

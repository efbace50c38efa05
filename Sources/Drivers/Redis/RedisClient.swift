// MartletRedis: what several instances share, in Redis or Valkey: RESP over NIO, and the seams of Platform on it.

public import Logging

/// A few connections to one Redis server (6 or later; Valkey too; older ones in RESP2), which all callers share.
///
/// Every call throws a ``MartletCore/Failure`` of kind `unavailable`, code `redis_unavailable`, when the server is away, too slow, or
/// talks nonsense, and ``RedisError`` for what it refuses. A command that failed as `unavailable` may have been done all the same; repeat
/// only what may be done twice. A task that is cancelled throws `CancellationError` at once; its command is done nevertheless.
///
/// Not for commands that block, subscribe, or change the connection (`BLPOP`, `SUBSCRIBE`, `SELECT`, `MULTI`, `CLIENT REPLY`), since that
/// would concern everybody: use a script, and ``messages(on:)``.
public final class RedisClient: Sendable {
    private let engine: Engine

    /// Connects when it is first used; throws ``InvalidRedisURL`` for a URL that cannot be read, and NIOSSL's error for a file of
    /// certificates that cannot. Close it: until then it keeps its connections.
    ///
    /// - Parameters:
    ///   - url: `redis://user:password@host:6379/0`, or `rediss://` for TLS, with `?ca_file=/path.pem` for certificates of one's own.
    ///   - prepare: What is done on each new connection before it serves anybody, also after the server was away. When it throws, the
    ///     connection is given up, and another is opened after a pause. It is cancelled when it takes longer than the `connectTimeout`.
    public init(
        url: String, settings: RedisSettings = RedisSettings(), logger: Logger,
        prepare: (@Sendable (RedisSession) async throws -> Void)? = nil
    ) throws {
        engine = try Engine(RedisAddress(url), settings: settings, prepare: prepare, logger: logger)
    }

    /// One command, as its words. Commands of many callers share a connection, one round trip carries many.
    public func send(_ words: [RedisWord]) async throws -> RESPValue {
        try Answers.only(try await engine.ask([words]))
    }

    /// Several commands in one round trip, one after the other; others' commands do not come between. Each has a result of its own; when
    /// the connection is lost, all fail together.
    public func send(_ commands: [[RedisWord]]) async throws -> [Result<RESPValue, RedisError>] {
        guard !commands.isEmpty else { return [] }
        return try Answers.results(try await engine.ask(commands))
    }

    /// Runs a script by its digest, and sends its text when the server does not know it yet: one round trip in the common case.
    public func run(_ script: RedisScript, keys: [String], _ arguments: [RedisWord]) async throws -> RESPValue {
        try await script.run(keys: keys, arguments) { try await send($0) }
    }

    /// Messages of channels, from now on. An element `.subscribed` comes first and after each reconnection: what was published meanwhile is
    /// lost. It also comes when the reader did not keep up and the oldest of thousands of messages were dropped. Ends when the client is
    /// closed, or the task that reads is cancelled.
    public func messages(on channels: Set<String>) -> AsyncStream<RedisMessage> { engine.messages(on: channels) }

    /// Whether calls are answered now, as far as is known: `false` while they are refused at once.
    public var isAvailable: Bool { engine.isAvailable }

    /// ``isAvailable`` now, and whenever it changes; a slow reader gets the latest only. Ends when the client is closed.
    public var availability: AsyncStream<Bool> { engine.availability() }

    /// Closes every connection, and returns when they are closed; calls in flight and later ones throw. Safe to repeat.
    public func close() async { await engine.close() }
}

/// What is heard on channels of the server.
public enum RedisMessage: Sendable, Hashable {
    /// Messages are heard from now on; those before may be lost. Look for yourself now.
    case subscribed
    case message(channel: String, payload: [UInt8])
}

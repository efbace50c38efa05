/// One new connection, before it serves anybody: see ``RedisClient/init(url:settings:logger:prepare:)``.
public struct RedisSession: Sendable {
    let engine: Engine
    let id: ConnectionID

    /// As ``RedisClient/send(_:)-([RedisWord])``, on this connection.
    public func send(_ words: [RedisWord]) async throws -> RESPValue {
        try Answers.only(try await engine.ask([words], on: id))
    }

    /// As ``RedisClient/run(_:keys:_:)``, on this connection.
    public func run(_ script: RedisScript, keys: [String], _ arguments: [RedisWord]) async throws -> RESPValue {
        try await script.run(keys: keys, arguments) { try await send($0) }
    }
}

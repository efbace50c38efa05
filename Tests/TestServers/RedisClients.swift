public import Logging
public import MartletRedis
public import MartletTestSupport

/// Runs `body` with a client of its own, which is closed afterwards, however it ends.
public func withRedis(
    _ url: String, _ settings: RedisSettings = .patient, logger: Logger = .silent,
    prepare: (@Sendable (RedisSession) async throws -> Void)? = nil, _ body: (RedisClient) async throws -> Void
) async throws {
    let client = try RedisClient(url: url, settings: settings, logger: logger, prepare: prepare)
    let outcome = await Result { try await body(client) }
    await client.close()
    try outcome.get()
}

extension RedisSettings {
    /// For machines that are busy with other tests.
    public static let patient = RedisSettings(timeout: .seconds(30), connectTimeout: .seconds(30))
    /// For servers that do not answer.
    public static let hasty = RedisSettings(timeout: .milliseconds(300), connectTimeout: .seconds(1))
}

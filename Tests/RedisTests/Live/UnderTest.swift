import MartletCore
import MartletRedis
import MartletTestServers
import MartletTestSupport
import Testing

/// Runs `body` on the server that all tests share, with a prefix for keys; where there is none, nothing runs.
func withSharedRedis(_ settings: RedisSettings = .patient, _ body: (RedisClient, _ prefix: String) async throws -> Void) async throws {
    guard let url = RedisServer.url else { return }
    try await withRedis(url, settings) { try await body($0, RedisServer.newPrefix()) }
}

extension RESPValue {
    static func text(_ text: String) -> RESPValue { .bytes(Array(text.utf8)) }
}

/// The failure of kind `unavailable` that a call throws.
@discardableResult
func unavailable<Value>(at location: SourceLocation = #_sourceLocation, by call: () async throws -> Value) async throws -> Failure {
    do {
        _ = try await call()
    } catch let failure as Failure where failure.kind == .unavailable && failure.code == "redis_unavailable" {
        return failure
    } catch {
        Issue.record("\(error) was thrown instead", sourceLocation: location)
        throw error
    }
    Issue.record("nothing was thrown", sourceLocation: location)
    throw Failure.unavailable("none", "None.")
}

extension RedisClient {
    func ask(_ words: RedisWord...) async throws -> RESPValue { try await send(words) }
}

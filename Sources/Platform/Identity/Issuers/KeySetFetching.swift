import AsyncHTTPClient
import Logging
import MartletCore
import NIOCore
import NIOHTTP1

/// Fetches the key sets of issuers, from where the settings say and nowhere else: no redirect is followed, and nothing that a token names.
struct KeySetFetching: Sendable {
    /// From the request to the last byte of the answer.
    static let time = Duration.seconds(3)
    let clock: WallClock
    let logger: Logger

    /// Lives as long as the process.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(2)
        configuration.tracing.tracer = nil
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// The keys at a URL, bounded in size and time.
    func keys(at url: String, for algorithms: Set<TokenAlgorithm>) async -> Result<[String: TokenKey], any Error> {
        do {
            return .success(try await Self.within(Self.time) { try await Self.fetched(from: url, for: algorithms) })
        } catch {
            return .failure(error)
        }
    }

    private static func fetched(from url: String, for algorithms: Set<TokenAlgorithm>) async throws -> [String: TokenKey] {
        let response = try await http.execute(HTTPClientRequest(url: url), timeout: .seconds(3))
        guard response.status == .ok else { throw KeySetUnusable(reason: "the answer is a \(response.status.code)") }
        let body = try await response.body.collect(upTo: KeySet.mostBytes)
        return try await KeySet.keys(in: body.readableBytesView, allowing: algorithms)
    }

    /// Runs `work`, which has to heed cancellation, and throws when it takes longer: an answer that drips is cut off as well.
    private static func within<Value: Sendable>(
        _ time: Duration, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: time)
                throw KeySetUnusable(reason: "it did not arrive within \(time)")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }
}

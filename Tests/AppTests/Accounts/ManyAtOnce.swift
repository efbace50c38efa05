import AsyncHTTPClient
import MartletClient
import MartletContract
import MartletTestKit

/// Does something many times at the same moment, and waits for all.
func manyAtOnce<Result: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) async throws -> Result) async throws -> [Result] {
    try await withThrowingTaskGroup(of: Result.self) { group in
        for index in 0..<count { group.addTask { try await body(index) } }
        return try await group.reduce(into: []) { $0.append($1) }
    }
}

extension TestApp {
    /// A client whose calls do not wait for one another's connections, as those of the shared one do.
    func withWideClient(_ body: (MartletClient) async throws -> Void) async throws {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 512
        try await HTTPClient.withHTTPClient(configuration: configuration) { http in
            try await body(MartletClient(baseURL: baseURL, http: http))
        }
    }
}

/// The Problem that a call is refused with; `nil` when it succeeds.
func refusal(of call: () async throws -> Void) async throws -> Problem? {
    do {
        try await call()
        return nil
    } catch let problem as Problem {
        return problem
    }
}

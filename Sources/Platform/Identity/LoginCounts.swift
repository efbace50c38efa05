import MartletCore
import Metrics

/// Attempts to log in with a password. That an account does not exist is no outcome of its own: nobody is to learn it, not here either.
struct LoginCounts: Sendable {
    private let succeeded, failed, limited, unavailable: Counter

    init(_ factory: any MetricsFactory) {
        func counter(_ outcome: String) -> Counter {
            Counter(label: "martlet_logins_total", dimensions: [("outcome", outcome)], factory: factory)
        }
        (succeeded, failed) = (counter("ok"), counter("failed"))
        // Delayed after failures; those beyond the limit of an address are refused before they are looked at.
        limited = counter("limited")
        unavailable = counter("unavailable")
    }

    func counting<Result>(_ login: () async throws -> Result) async throws -> Result {
        do {
            let result = try await login()
            succeeded.increment()
            return result
        } catch {
            counter(for: error).increment()
            throw error
        }
    }

    private func counter(for error: any Error) -> Counter {
        switch (error as? Failure)?.kind {
        case .unauthenticated, .forbidden: failed
        case .limited: limited
        default: unavailable
        }
    }
}

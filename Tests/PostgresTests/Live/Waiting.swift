import MartletCore
import MartletStorage
import Synchronization
import Testing

/// The failure of kind `unavailable` that a call throws.
@discardableResult
func unavailable(at location: SourceLocation = #_sourceLocation, by call: () async throws -> Void) async throws -> Failure {
    do {
        try await call()
    } catch let failure as Failure where failure.kind == .unavailable {
        return failure
    } catch {
        Issue.record("\(error) was thrown instead", sourceLocation: location)
        throw error
    }
    Issue.record("nothing was thrown", sourceLocation: location)
    throw Failure.unavailable("none", "None.")
}

extension Failure {
    /// PostgreSQL's code of the cause.
    var state: String? { (cause as? SQLFailure)?.code }
}

/// A number that several tasks count up.
final class Count: Sendable {
    private let number = Atomic(0)

    var value: Int { number.load(ordering: .acquiring) }

    @discardableResult
    func add(_ more: Int = 1) -> Int { number.add(more, ordering: .acquiringAndReleasing).newValue }
}

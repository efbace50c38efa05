public import MartletContract
import MartletCore

/// Told of each caller who is known and has not the permission that an operation asks for.
public struct RefusalHook: Sendable {
    private let body: @Sendable (Caller, APIOperation) -> Void

    public init(_ body: @escaping @Sendable (Caller, APIOperation) -> Void) {
        self.body = body
    }

    /// In the context of the request, as a handler would be run.
    func tell(_ caller: Caller, _ operation: APIOperation, _ call: Call) {
        CurrentRequest.$id.withValue(call.id) {
            CurrentRequest.$origin.withValue(call.origin(of: caller)) { body(caller, operation) }
        }
    }
}

extension Call {
    func origin(of caller: Caller?) -> Origin {
        Origin(caller.map { .account($0.id) } ?? .anonymous, at: client)
    }
}

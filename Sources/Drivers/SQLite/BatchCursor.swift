import Dispatch
import MartletStorage

/// A statement that stays open between batches, on a connection of its own and on threads that nobody waits for.
struct BatchCursor: Sendable {
    let connection: Connection
    let text: String
    let values: [SQLValue]
    let size: Int

    private static let threads = DispatchQueue(label: "martlet.sqlite.batches", qos: .utility, attributes: .concurrent)

    /// The next rows. Fewer than `size` are the last: one more step would begin anew.
    func next<Row: Decodable & Sendable>(_ row: Row.Type) async throws -> [Row] {
        let running = RunningStatement(connection)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                Self.threads.async { continuation.resume(with: Result { try fetch(running, row) }) }
            }
        } onCancel: {
            running.cancel()
        }
    }

    private func fetch<Row: Decodable & Sendable>(_ running: RunningStatement, _ row: Row.Type) throws -> [Row] {
        do {
            return try connection.exclusively { session in
                try running.run { try session.continued(text, values).next(size, row) }
            }
        } catch let failure as SQLFailure {
            throw failure.thrown
        }
    }
}

import MartletCore
import MartletStorage

/// What is heard on a channel of the server (`LISTEN`, `NOTIFY`).
public enum PostgresSignal: Sendable, Hashable {
    /// Listening has begun, again perhaps: what was notified before, while nobody listened, is lost. Look for yourself now.
    case listening
    case notified(String)
}

extension PostgresDatabase {
    /// What other sessions notify this channel of, from now on until the task that reads it is cancelled or the database is closed.
    ///
    /// It takes one connection of the pool for itself. When the connection is lost, another one is opened, as often as it takes; each time
    /// begins with ``PostgresSignal/listening``. Sessions notify with `SELECT pg_notify(channel, payload)`, on their commit.
    public func signals(on channel: String) -> AsyncStream<PostgresSignal> {
        engine.signals(on: channel)
    }
}

extension Engine {
    /// See ``PostgresDatabase/signals(on:)``.
    ///
    /// - Parameter channel: `nil` for the one on which the instances that share a schema tell one another what was committed.
    func signals(on channel: String?) -> AsyncStream<PostgresSignal> {
        let (signals, continuation) = AsyncStream.makeStream(of: PostgresSignal.self, bufferingPolicy: .bufferingNewest(1024))
        let task = Task {
            await keepListening(to: channel, continuation)
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return signals
    }

    /// Listens, and listens again whenever the connection was lost, until the task is cancelled or the database closed.
    private func keepListening(to channel: String?, _ signals: AsyncStream<PostgresSignal>.Continuation) async {
        var failures = 0
        while !Task.isCancelled {
            do {
                try await listen(to: channel, signals)
                failures = 0
            } catch {
                if (error as? Failure)?.code == Core.closed.code { return }
                failures += 1
            }
            // A cancelled sleep ends the loop.
            try? await Task.sleep(for: min(.seconds(1), .milliseconds(10 << min(failures, 7))))
        }
    }

    private func listen(to channel: String?, _ signals: AsyncStream<PostgresSignal>.Continuation) async throws {
        let lease = try await borrow(for: nil, begin: nil)
        defer { giveBack(lease) }
        let (heard, listener) = AsyncStream.makeStream(of: PostgresSignal.self)
        listen(lease, listener)
        let name = if let channel { channel } else { try await ownChannel(lease) }
        _ = try await run(Statement(session: "LISTEN \"\(name.replacing("\"", with: "\"\""))\""), on: lease)
        signals.yield(.listening)
        for await signal in heard { signals.yield(signal) }
    }

    private func ownChannel(_ lease: Lease) async throws -> String {
        let found = try await run(Statement("SELECT \(Notifications.channel)"), on: lease)
        return try ResultRows(found).decode(String.self).joined()
    }
}

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
        let (signals, continuation) = AsyncStream.makeStream(of: PostgresSignal.self, bufferingPolicy: .bufferingNewest(1024))
        let task = Task {
            await keepListening(to: channel, continuation)
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return signals
    }
}

extension PostgresDatabase {
    /// Listens, and listens again whenever the connection was lost, until the task is cancelled or the database closed.
    func keepListening(to channel: String, _ signals: AsyncStream<PostgresSignal>.Continuation) async {
        let name = channel.replacing("\"", with: "\"\"")
        var failures = 0
        while !Task.isCancelled {
            do {
                try await listen(to: name, signals)
                failures = 0
            } catch {
                if (error as? Failure)?.code == Core.closed.code { return }
                failures += 1
            }
            // A cancelled sleep ends the loop.
            try? await Task.sleep(for: min(.seconds(1), .milliseconds(10 << min(failures, 7))))
        }
    }

    private func listen(to name: String, _ signals: AsyncStream<PostgresSignal>.Continuation) async throws {
        let lease = try await engine.borrow(for: nil, begin: nil)
        defer { engine.giveBack(lease) }
        let (heard, listener) = AsyncStream.makeStream(of: PostgresSignal.self)
        engine.listen(lease, listener)
        _ = try await engine.run(Statement(session: "LISTEN \"\(name)\""), on: lease)
        signals.yield(.listening)
        for await signal in heard { signals.yield(signal) }
    }
}

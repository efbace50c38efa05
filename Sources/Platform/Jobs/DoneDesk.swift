import Foundation
import Synchronization

/// Notes attempts that are simply done, as many at once as have come meanwhile: one statement and one commit for all of them.
final class DoneDesk: Sendable {
    private struct State {
        var waiting: [(claim: Claim, waiter: CheckedContinuation<Void, any Error>)] = []
        var isWriting = false
    }
    private let state = Mutex(State())
    private let notes: JobNotes
    private static let most = 200

    init(_ notes: JobNotes) { self.notes = notes }

    /// Returns when it is noted. An attempt that was not the worker's any more is passed over.
    func note(_ claim: Claim) async throws {
        try await withCheckedThrowingContinuation { waiter in
            let begins = state.withLock { state in
                state.waiting.append((claim, waiter))
                defer { state.isWriting = true }
                return !state.isWriting
            }
            if begins { Task { await write() } }
        }
    }

    private func write() async {
        while let batch = nextBatch() {
            for (batch, group) in Dictionary(grouping: batch, by: { JobNotes.Batch($0.claim) }) {
                let outcome = await Result { try await notes.done(group.map(\.claim.id), of: batch) }
                for entry in group { entry.waiter.resume(with: outcome.map { _ in }) }
            }
        }
    }

    private func nextBatch() -> [(claim: Claim, waiter: CheckedContinuation<Void, any Error>)]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isWriting = false
                return nil
            }
            let batch = state.waiting.prefix(Self.most)
            state.waiting.removeFirst(batch.count)
            return Array(batch)
        }
    }
}

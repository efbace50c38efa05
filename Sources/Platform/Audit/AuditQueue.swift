import Foundation
import Logging
import MartletAuditAPI
import MartletCore
import Synchronization

/// Writes what was noted, a batch at a time. The first of a quiet moment is written at once; the next batch a little later, whatever comes.
final class AuditQueue: Sendable {
    private struct State {
        var backlog = AuditBacklog()
        var writer: Task<Void, Never>?
        var isClosed = false
    }
    private let state = Mutex(State())
    private let logger: Logger
    private let clock: WallClock
    private let store: @Sendable ([Occurrence]) async throws -> Void

    private static let batch = 100
    /// So that a flood costs the database a few small transactions a second, and its repetitions meet in the backlog.
    private static let pause = Duration.milliseconds(200)
    private static let pauseOfOutage = Duration.seconds(1)

    init(logger: Logger, clock: WallClock, store: @escaping @Sendable ([Occurrence]) async throws -> Void) {
        (self.logger, self.clock, self.store) = (logger, clock, store)
    }

    func add(_ event: AuditEvent) {
        let occurrence = Occurrence(event: event, moment: clock.now)
        state.withLock { state in
            state.backlog.add(occurrence)
            // Detached: what it writes is no part of the request.
            if state.writer == nil, !state.isClosed { state.writer = Task.detached { await self.write() } }
        }
    }

    func close() async {
        let writer = state.withLock { state in
            state.isClosed = true
            return state.writer
        }
        await writer?.value
    }

    private func write() async {
        while let batch = next() {
            await write(batch)
            await rest(Self.pause)
        }
    }

    /// `nil` once nothing waits; then the next event begins another writer.
    private func next() -> [Occurrence]? {
        state.withLock { state in
            let batch = state.backlog.next(Self.batch, at: clock.now)
            if batch.isEmpty { state.writer = nil }
            return batch.isEmpty ? nil : batch
        }
    }

    private func write(_ batch: [Occurrence]) async {
        while true {
            do {
                return try await store(batch)
            } catch let failure as Failure where failure.kind == .unavailable && !isClosed {
                await rest(Self.pauseOfOutage)
            } catch {
                logger.error("Entries of the audit log are lost", error: error, metadata: ["entries": .stringConvertible(batch.count)])
                return
            }
        }
    }

    private func rest(_ time: Duration) async {
        // Nobody cancels the writer, so the sleep ends by itself.
        if !isClosed { try? await Task.sleep(for: time) }
    }

    private var isClosed: Bool { state.withLock { $0.isClosed } }
}

/// What waits to be written: bounded, and each thing once.
struct AuditBacklog {
    static let most = 1_000
    private var waiting: [Occurrence] = []
    private var places: [AuditEvent: Int] = [:]
    private var lost = 0

    mutating func add(_ occurrence: Occurrence) {
        let event = occurrence.event.withoutRequest
        if let place = places[event] {
            waiting[place].times += occurrence.times
        } else if waiting.count < Self.most {
            places[event] = waiting.count
            waiting.append(occurrence)
        } else {
            lost += 1
        }
    }

    /// The oldest of them, and at the end how many were lost; empty when nothing waits.
    mutating func next(_ count: Int, at now: Date) -> [Occurrence] {
        var batch = Array(waiting.prefix(count))
        waiting.removeFirst(batch.count)
        places = Dictionary(uniqueKeysWithValues: waiting.enumerated().map { ($1.event.withoutRequest, $0) })
        if waiting.isEmpty, lost > 0 {
            batch.append(Occurrence(event: AuditEvent(.entriesLost, outcome: .failed, after: ["entries": .number(lost)]), moment: now))
            lost = 0
        }
        return batch
    }
}

extension AuditAction {
    static let entriesLost = AuditAction("audit.entries_lost")
}
